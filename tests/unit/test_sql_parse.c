/* SQL to trees: precedence and forms by what they print as, parts of queries by the tree, errors by
 * their place. The printed forms are DuckDB's; tests/corpus asks it for more of them. */
#include "sql_testing.h"

static void prints(const char *text, const char *want)
{
    span got;

    assert_ok(sql_print_expr(a, expr(text), &got, &err), &err);
    assert_text(got, want);
}

/* The same tree as text with parentheses, and so on through the list. */
static void all_print(const char *const (*cases)[2], size_t n)
{
    for (size_t i = 0; i < n; i++)
        prints(cases[i][0], cases[i][1]);
}

#define PRINT_ALL(cases) all_print(cases, sizeof(cases) / sizeof *(cases))

/* ---- expressions ---- */

static void test_precedence(void **state)
{
    static const char *const cases[][2] = {
        {"a or b and not c = d", "(a OR (b AND (NOT (c = d))))"},
        {"(a or b) and c", "((a OR b) AND c)"},
        {"a and b and (c and d)", "(a AND b AND c AND d)"},
        {"not a is null", "(NOT (a IS NULL))"},
        {"a = b is null", "((a = b) IS NULL)"},
        {"a is null = b", "((a IS NULL) = b)"},
        {"a + b is null", "((a + b) IS NULL)"},
        {"a = not b", "(a = (NOT b))"},
        {"a is not distinct from b + 1", "(a IS NOT DISTINCT FROM (b + 1))"},
        {"a between b and c + 1 and d", "((a BETWEEN b AND (c + 1)) AND d)"},
        {"a in (1, 2) = b", "((a IN (1, 2)) = b)"},
        {"a || b = c", "((a || b) = c)"},
        {"a || b + c", "(a || (b + c))"},
        {"a & b || c", "((a & b) || c)"},
        {"a & b | c << d + 1", "(((a & b) | c) << (d + 1))"},
        {"a - b - c", "((a - b) - c)"},
        {"a + b * c // d % e", "(a + (((b * c) // d) % e))"},
        {"a * b ^ c ** d", "(a * ((b ^ c) ** d))"},
        {"-a ^ 2", "((-(a)) ^ 2)"},
        {"-a::INT", "(-(CAST(a AS INTEGER)))"},
        {"- - -1", "-1"},
        {"- -1", "1"},
        {"1 - -1", "(1 - -1)"},
        {"-1::INT", "(-(CAST(1 AS INTEGER)))"},
        {"~a + b & c", "((~((a + b))) & c)"},
        {"a = not b is null", "(a = (NOT (b IS NULL)))"},
        {"@a & b = c", "((@((a & b))) = c)"},
        {"a!", "factorial(a)"},
        {"(a::INT::TEXT)[1].x", "(CAST(CAST(a AS INTEGER) AS TEXT)[1]).x"},
        {"a -> 'k' ", "(a -> 'k')"},
        {"a ->> 'k' = 'v'", "((a ->> 'k') = 'v')"},
        {"t at time zone 'a' at time zone 'b'", "timezone('b', timezone('a', t))"},
        {"a collate nocase || b", "(a COLLATE nocase || b)"},
        {"a collate nocase.noaccent", "a COLLATE \"nocase.noaccent\""},
    };

    (void)state;
    PRINT_ALL(cases);
}

static void test_predicates(void **state)
{
    static const char *const cases[][2] = {
        {"a <> 1 and b == 2", "((a != 1) AND (b = 2))"},
        {"a not in (1)", "(NOT (a IN (1)))"},
        {"a in l", "contains(l, a)"},
        {"a not in (select b from t)", "(NOT (a = ANY(SELECT b FROM t)))"},
        {"a not between 1 and 2", "(NOT (a BETWEEN 1 AND 2))"},
        {"s not like 'x'", "(s !~~ 'x')"},
        {"s ilike 'x' escape '!'", "ilike_escape(s, 'x', '!')"},
        {"s not like 'x' escape '!'", "(NOT like_escape(s, 'x', '!'))"},
        {"s !~~* 'x'", "(s !~~* 'x')"},
        {"s glob 'x'", "(s ~~~ 'x')"},
        {"s not similar to 'x'", "(NOT regexp_full_match(s, 'x'))"},
        {"s !~ 'x'", "(NOT regexp_matches(s, 'x'))"},
        {"a notnull", "(a IS NOT NULL)"},
        {"a not null", "(a IS NOT NULL)"},
        {"a isnull", "(a IS NULL)"},
        {"a is unknown", "(a IS NULL)"},
        {"a is not true", "(CAST(a AS BOOLEAN) IS DISTINCT FROM true)"},
        {"a is false", "(CAST(a AS BOOLEAN) IS NOT DISTINCT FROM false)"},
        {"a > all (select 1)", "(NOT (a <= ANY(SELECT 1)))"},
        {"a = any ([1])", "(a = ANY(SELECT unnest(list_value(1))))"},
        {"not exists (select 1)", "(NOT EXISTS(SELECT 1))"},
    };

    (void)state;
    PRINT_ALL(cases);
}

static void test_operands(void **state)
{
    static const char *const cases[][2] = {
        {"1_000 + 5. + .5e-3", "((1_000 + 5.) + .5e-3)"},
        {"'it''s'", "'it''s'"},
        {"E'a\\n\\'\\x41\\101'", "'a\n''AA'"},
        {"$$a'b$$ || $t$a$$b$t$", "('a''b' || 'a$$b')"},
        {"x'aB'", "X'aB'"},
        {"NULL", "NULL"},
        {"TRUE", "true"},
        {"date '2020-01-01'", "CAST('2020-01-01' AS date)"},
        {"timestamp with time zone 'x'", "CAST('x' AS TIMESTAMP WITH TIME ZONE)"},
        {"decimal(10,2) '1'", "CAST('1' AS DECIMAL(10, 2))"},
        {"interval '1 day'", "CAST('1 day' AS INTERVAL)"},
        {"interval 5 days", "to_days(CAST(trunc(CAST(5 AS DOUBLE)) AS INTEGER))"},
        {"interval (a + 1) second", "to_seconds(CAST((a + 1) AS DOUBLE))"},
        {"extract(years from t)", "date_part('YEAR', t)"},
        {"extract('dow' from t)", "date_part('dow', t)"},
        {"substring(s from 2 for 3)", "\"substring\"(s, 2, 3)"},
        {"substring(s for 3)", "\"substring\"(s, 1, 3)"},
        {"position('a' in s)", "\"position\"(s, 'a')"},
        {"trim(leading 'x' from s)", "ltrim(s, 'x')"},
        {"trim(s)", "\"trim\"(s)"},
        {"overlay(s placing 'x' from 1)", "\"overlay\"(s, 'x', 1)"},
        {"cast(a as double precision)", "CAST(a AS DOUBLE)"},
        {"try_cast(a as int[])", "TRY_CAST(a AS INTEGER[])"},
        {"a::struct(x int, \"y z\" text)", "CAST(a AS STRUCT(x INTEGER, \"y z\" text))"},
        {"a::map(varchar, int[3])", "CAST(a AS MAP(VARCHAR, INTEGER[3]))"},
        {"a::timestamp(9)", "CAST(a AS TIMESTAMP_NS)"},
        {"a::json", "CAST(a AS \"json\")"},
        {"case a when 1 then 2 end", "CASE  WHEN ((a = 1)) THEN (2) ELSE NULL END"},
        {"case when a then 2 else 3 end", "CASE  WHEN (a) THEN (2) ELSE 3 END"},
        {"[1, 2,]", "list_value(1, 2)"},
        {"[x + 1 for x in l]", "list_apply(l, (lambda x: (x + 1)))"},
        {"{'a': 1, b: 2}", "struct_pack(a := 1, b := 2)"},
        {"map {'a': 1}", "\"map\"(list_value('a'), list_value(1))"},
        {"(a, b)", "\"row\"(a, b)"},
        {"(a)", "a"},
        {"l[1:]", "l[1:]"},
        {"l[1:-:2]", "l[1:-:2]"},
        {"value + \"A b\"", "(\"value\" + \"A b\")"},
        {"t.\"A b\"", "A b"},
        {"#2", "#2"},
    };

    (void)state;
    PRINT_ALL(cases);
}

static void test_calls(void **state)
{
    static const char *const cases[][2] = {
        {"COUNT(*)", "count_star()"},
        {"count(*) over ()", "count() OVER ()"},
        {"Sum(distinct a)", "sum(DISTINCT a)"},
        {"coalesce(a, b)", "COALESCE(a, b)"},
        {"ifnull(a, b)", "COALESCE(a, b)"},
        {"left(s, 1)", "\"left\"(s, 1)"},
        {"struct_pack(a := 1, b => 2)", "struct_pack(a := 1, b := 2)"},
        {"string_agg(s, ',' order by a desc nulls last)",
         "string_agg(s, ',' ORDER BY a DESC NULLS LAST)"},
        {"percentile_cont(0.5) within group (order by a)", "quantile_cont(0.5 ORDER BY a)"},
        {"mode() within group (order by a)", "\"mode\"() WITHIN GROUP ( ORDER BY a)"},
        {"count(*) filter (where a > 1)", "count_star() FILTER (WHERE (a > 1))"},
        {"lag(a, 1 ignore nulls) over (order by b)", "lag(a, 1 IGNORE NULLS) OVER (ORDER BY b)"},
        {"sum(a) over (partition by b order by c rows 2 preceding)",
         "sum(a) OVER (PARTITION BY b ORDER BY c ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)"},
        {"sum(a) over (order by c groups between current row and 1 following exclude ties)",
         "sum(a) OVER (ORDER BY c GROUPS BETWEEN CURRENT ROW AND 1 FOLLOWING EXCLUDE TIES)"},
        {"s.upper().lower()", "lower(s.upper())"},
        {"('a').upper()", "upper('a')"},
        {"f(lambda x, y: x + y)", "f((lambda x, y: (x + y)))"},
        {"f(x -> x + 1)", "f((lambda x: (x + 1)))"},
        {"f((x, y) -> x + y)", "f((lambda x, y: (x + y)))"},
    };

    (void)state;
    PRINT_ALL(cases);
}

static void test_tree(void **state)
{
    sql_expr *e = expr(" a.b = 1_000 -- end");

    (void)state;
    assert_int_equal(e->kind, SQL_EXPR_COMPARE);
    assert_int_equal(e->at, 1);
    assert_int_equal(e->end, 12);
    assert_int_equal(e->height, 2);
    assert_int_equal(e->args.at[0]->names.n, 2);
    assert_text(e->args.at[1]->text, "1000");
    e = expr("a not ilike 'x'");
    assert_int_equal(e->kind, SQL_EXPR_LIKE);
    assert_true(e->negate && e->no_case);
    e = expr("case a when 1 then 2 when 3 then 4 else 5 end");
    assert_true(e->operand);
    assert_int_equal(e->args.n, 6);
    e = expr("interval 3 hours");
    assert_text(e->name.text, "HOUR");
    e = expr("$name + ?");
    assert_text(e->args.at[0]->name.text, "name");
    assert_int_equal(e->args.at[1]->name.text.len, 0);
    e = expr("x'00fF'");
    assert_int_equal(e->literal, SQL_BLOB);
    assert_memory_equal(e->text.data, "\x00\xff", 2);
    e = expr("j -> 'k'");
    assert_int_equal(e->kind, SQL_EXPR_CALL);
    e = expr("s.f(1)");
    assert_text(e->names.at[0].text, "s");
    assert_text(e->name.text, "f");
    assert_int_equal(e->args.n, 1);
    e = expr("columns('a.*')");
    assert_int_equal(e->kind, SQL_EXPR_STAR);
    assert_text(e->text, "a.*");
}

static void test_types(void **state)
{
    const sql_type *t = &expr("a::struct(x int, \"y z\" decimal( 4 ,1)[])[]")->type;

    (void)state;
    assert_text(t->text, "STRUCT(x INTEGER, \"y z\" DECIMAL(4, 1)[])[]");
    assert_text(t->name, "LIST");
    t = t->children;
    assert_text(t->name, "STRUCT");
    assert_int_equal(t->n_children, 2);
    assert_text(t->fields.at[1].text, "y z");
    assert_text(t->children[1].name, "LIST");
    assert_text(t->children[1].children[0].name, "DECIMAL(4, 1)");
    assert_text(expr("a::json")->type.name, "json");
    assert_text(expr("a::time without time zone")->type.text, "TIME");
}

static void test_star(void **state)
{
    sql_query *q = query("select t.* exclude (a, u.b) replace (c + 1 as c) rename (d as e), *");
    sql_expr *e = q->items[0].expr;

    (void)state;
    assert_text(e->names.at[0].text, "t");
    assert_int_equal(e->exclude.n, 2);
    assert_text(e->exclude_tables.at[1].text, "u");
    assert_int_equal(e->exclude_tables.at[0].text.len, 0);
    assert_int_equal(e->replace.n, 1);
    assert_text(e->replace_names.at[0].text, "c");
    assert_text(e->rename_to.at[0].text, "e");
    assert_int_equal(query("select * except (select 1)")->set, SQL_SET_EXCEPT);
    assert_int_equal(query("select * except i from t")->items[0].expr->exclude.n, 1);
    assert_true(query("select coalesce(*columns(*))")->items[0].expr->args.at[0]->unpack);
    refused("select * exclude (a, A)", "character 22: A comes twice");
}

/* ---- queries ---- */

static void test_items(void **state)
{
    sql_query *q = query("select a b, c as \"d e\", f: g + 1, h as 'i', j value, from t");

    (void)state;
    assert_int_equal(q->n_items, 5);
    assert_text(q->items[0].alias.text, "b");
    assert_true(q->items[1].alias.quoted);
    assert_text(q->items[2].alias.text, "f");
    assert_int_equal(q->items[2].expr->kind, SQL_EXPR_CALL);
    assert_text(q->items[3].alias.text, "i");
    assert_text(q->items[4].alias.text, "value");
    assert_int_equal(query("from t")->n_items, 0);
    assert_text(query("from t select a")->from->path.at[0].text, "t");
    assert_int_equal(query("select distinct on (a, b) c")->distinct_on.n, 2);
}

static void test_clauses(void **state)
{
    sql_query *q = query("select a from t where b group by c having d qualify e order by f desc, g "
                         "nulls first limit 1 offset 2 rows");

    (void)state;
    assert_non_null(q->where);
    assert_non_null(q->having);
    assert_non_null(q->qualify);
    assert_int_equal(q->group_by.n_sets, 1);
    assert_true(q->order_by.at[0].descending && !q->order_by.at[0].nulls_first);
    assert_true(!q->order_by.at[1].descending && q->order_by.at[1].nulls_first);
    assert_non_null(q->limit);
    assert_non_null(q->offset);
    q = query("select a order by all desc offset 1 limit 10 %");
    assert_true(q->order_by.all && q->order_by.at[0].descending && q->limit_percent);
    assert_true(query("select a limit 5 percent")->limit_percent);
    assert_null(query("select a limit all")->limit);
    q = query("values (1, 2), (3, 4)");
    assert_int_equal(q->n_rows, 2);
    assert_int_equal(q->rows[1].n, 2);
}

static void test_groups(void **state)
{
    static const struct {
        const char *text;
        uint32_t exprs, sets, last; /* how many the last set has */
    } cases[] = {{"a, b", 2, 1, 2},
                 {"()", 0, 1, 0},
                 {"(a, b), c, ()", 3, 1, 3},
                 {"a + 1, a+1", 1, 1, 1},
                 {"t.a, u.a", 2, 1, 2},
                 {"rollup (a, b)", 2, 3, 2},
                 {"rollup ((a, b), c)", 3, 3, 3},
                 {"cube (a, b, c)", 3, 8, 1},
                 {"grouping sets ((a, b), a, ())", 2, 3, 0},
                 {"grouping sets (rollup (a), cube (b, c))", 3, 6, 1},
                 {"a, rollup (b), cube (a, c)", 3, 8, 3}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[100];
        snprintf(text, sizeof text, "select 1 from t group by %s", cases[i].text);
        const sql_group_by *g = &query(text)->group_by;
        assert_int_equal(g->exprs.n, cases[i].exprs);
        assert_int_equal(g->n_sets, cases[i].sets);
        assert_int_equal(g->sets[g->n_sets - 1].n, cases[i].last);
    }
    assert_true(query("select 1 group by all")->group_by.all);
    refused("select 1 group by cube (a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p)", "more than 65535 sets");
    refused("select 1 group by rollup (a,b,c), cube(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o)", "65535 sets");
}

static void test_windows(void **state)
{
    sql_query *q = query("select sum(a) over w, max(b) over (v rows unbounded preceding), "
                         "(select min(c) over w from u window w as (order by d)) "
                         "from t window w as (partition by x), v as (w order by y)");
    const sql_window *w = q->items[0].expr->over, *v = q->items[1].expr->over;

    (void)state;
    assert_int_equal(w->partition_by.n, 1);
    assert_int_equal(w->order_by.n, 0);
    assert_int_equal(v->partition_by.n, 1);
    assert_int_equal(v->order_by.n, 1);
    assert_int_equal(v->frame, SQL_FRAME_ROWS);
    w = q->items[2].expr->query->items[0].expr->over;
    assert_int_equal(w->partition_by.n, 0);
    assert_int_equal(w->order_by.n, 1);
    refused("select sum(a) over w from t", "character 20: there is no window w");
    refused("select sum(a) over (w order by b) from t window w as (order by c)",
            "ORDER BY already");
    refused("select sum(a) over (rows between 1 following and 1 preceding)",
            "ends before it begins");
    refused("select 1 from t order by sum(b) over w", "no window w");
}

/* A query as a text of its set operations: leaves are the first number selected. */
static void shape(const sql_query *q, char *out, size_t cap)
{
    static const char signs[] = " UIE";
    char left[100], right[100];

    if (!q->set) {
        const sql_expr *e = q->items[0].expr;
        snprintf(out, cap, "%.*s", (int)e->text.len, (const char *)e->text.data);
        return;
    }
    shape(q->left, left, sizeof left);
    shape(q->right, right, sizeof right);
    snprintf(out, cap, "(%.90s%c%s%.90s)", left, signs[q->set], q->set_all ? "*" : "", right);
}

static void test_sets(void **state)
{
    static const char *const cases[][2] = {
        {"select 1 union select 2 except select 3", "((1U2)E3)"},
        {"select 1 union all select 2 intersect select 3", "(1U*(2I3))"},
        {"select 1 intersect all select 2 union select 3", "((1I*2)U3)"},
        {"select 1 union (select 2 union all select 3)", "(1U(2U*3))"},
        {"(select 1 union distinct select 2) intersect select 3", "((1U2)I3)"},
        {"((select 1)) union ((select 2))", "(1U2)"}};
    char text[200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        shape(query(cases[i][0]), text, sizeof text);
        assert_string_equal(text, cases[i][1]);
    }
    assert_true(query("select 1 union all by name select 2")->by_name);
    const sql_query *q = query("(select 1 limit 2) union select 3 order by 1 limit 4");
    assert_non_null(q->left->limit);
    assert_int_equal(q->order_by.n, 1);
    q = query("(select 1 order by 1 limit 2) order by 1 desc");
    assert_int_equal(q->from->kind, SQL_FROM_QUERY);
    assert_non_null(q->from->query->limit);
    q = query("(select 1 order by 1) limit 2");
    assert_int_equal(q->order_by.n, 1);
    assert_non_null(q->limit);
}

static void test_with(void **state)
{
    sql_query *q = query("with a(x, y) as materialized (select 1, 2), b as not materialized "
                         "(from a) select * from b");

    (void)state;
    assert_int_equal(q->n_with, 2);
    assert_int_equal(q->with[0].columns.n, 2);
    assert_true(q->with[0].materialized && q->with[1].not_materialized);
    assert_true(query("with recursive a as (select 1) from a")->with[0].recursive);
    refused("with a as (select 1), A as (select 2) select 3",
            "character 23: WITH has the name A twice");
}

/* ---- FROM ---- */

static void tables(const sql_from *f, char *out, size_t cap)
{
    static const char *const signs[] = {"x", "i", "l", "r", "f", "s", "a", "p"};
    char left[100], right[100];

    if (f->kind != SQL_FROM_JOIN) {
        span name = f->alias.text.len ? f->alias.text : f->path.n ? f->path.at[0].text : (span){0};
        snprintf(out, cap, "%.*s", (int)name.len, (const char *)name.data);
        return;
    }
    tables(f->left, left, sizeof left);
    tables(f->right, right, sizeof right);
    snprintf(out, cap, "(%.90s%s%s%s%.90s)", left, f->natural ? "n" : "", f->asof ? "t" : "",
             f->comma ? "," : signs[f->join], right);
}

static void test_joins(void **state)
{
    static const char *const cases[][2] = {
        {"a, b, c", "((a,b),c)"},
        {"a, b join c on x", "(a,(bic))"},
        {"a join b on x left outer join c using (y)", "((aib)lc)"},
        {"a join b join c on x on y", "(ai(bic))"},
        {"a cross join b join c on x", "((axb)ic)"},
        {"a right join b on x full join c on y", "((arb)fc)"},
        {"a semi join b using (x) anti join c on y", "((asb)ac)"},
        {"a natural join b natural left join c", "((anib)nlc)"},
        {"a asof join b on x asof left join c on y", "((atib)tlc)"},
        {"a positional join b", "(apb)"},
        {"a join by (type SEMI) b on x", "(asb)"},
        {"a join (b join c on x) on y", "(ai(bic))"},
        {"(a join b on x) q", "q"},
        {"(((a)))", "a"},
        {"((select 1) join b on x)", "(ib)"},
        {"((select 1) q join b on x)", "(qib)"},
        {"((select 1) union (select 2)) q", "q"}};
    char text[300], got[200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(text, sizeof text, "select 1 from %s where true", cases[i][0]);
        tables(query(text)->from, got, sizeof got);
        assert_string_equal(got, cases[i][1]);
    }
    refused("select * from a join b", "expected ON or USING, found the end");
    refused("select * from a join b using (c + d)", "character 33");
    refused("select * from a join by (type odd) b on x", "odd is no type");
}

static void test_tables(void **state)
{
    const sql_from *f = query("from 'x/*.parquet' as t(a, b)")->from;

    (void)state;
    assert_true(f->is_file);
    assert_int_equal(f->column_aliases.n, 2);
    f = query("from s.t u")->from;
    assert_int_equal(f->path.n, 2);
    assert_text(f->alias.text, "u");
    f = query("from u: t")->from;
    assert_text(f->alias.text, "u");
    f = query("from read_csv('x', header = true, sep := ';') t")->from;
    assert_int_equal(f->kind, SQL_FROM_FUNCTION);
    assert_int_equal(f->call->args.n, 3);
    assert_text(f->call->arg_names.at[1].text, "header");
    assert_text(f->call->arg_names.at[2].text, "sep");
    assert_int_equal(f->call->arg_names.at[0].text.len, 0);
    f = query("from (values (1), (2)) v(x)")->from;
    assert_int_equal(f->kind, SQL_FROM_VALUES);
    assert_int_equal(f->n_rows, 2);
    f = query("from t, lateral (select t.a) u")->from;
    assert_true(f->right->lateral);
    assert_int_equal(f->right->kind, SQL_FROM_QUERY);
}

/* ---- statements ---- */

static void test_statements(void **state)
{
    sql_statement *s = statements(";select 1;; explain analyze select 2; explain copy t to 'x';"
                                  "describe t; summarize select 3; describe 'f.csv'",
                                  6);

    (void)state;
    assert_int_equal(s[0].kind, SQL_SELECT);
    assert_int_equal(s[0].at, 1);
    assert_true(s[1].kind == SQL_EXPLAIN && s[1].analyze);
    assert_true(s[2].kind == SQL_COPY && s[2].explains);
    assert_int_equal(s[3].kind, SQL_DESCRIBE);
    assert_int_equal(s[4].kind, SQL_SUMMARIZE);
    assert_true(s[5].query->from->is_file);
    statements("", 0);
    statements(" -- nothing\n/* or /* less */ */;", 0);
    assert_int_equal(statements("((select 1) union (select 2))", 1)->query->set, SQL_SET_UNION);
}

static void test_copy(void **state)
{
    sql_statement *s = statements("copy (select 1) to 'o' (format parquet, compression 'zstd', "
                                  "partition_by (year(d) as y, b), overwrite, header true, "
                                  "row_group_size 1000, null null)",
                                  1);

    (void)state;
    assert_text(s->target, "o");
    assert_int_equal(s->n_options, 7);
    assert_text(s->options[0].values.at[0]->names.at[0].text, "parquet");
    assert_int_equal(s->options[1].values.at[0]->literal, SQL_STRING);
    assert_true(s->options[2].list);
    assert_text(s->options[2].aliases.at[0].text, "y");
    assert_int_equal(s->options[2].aliases.at[1].text.len, 0);
    assert_int_equal(s->options[3].values.n, 0);
    assert_int_equal(s->options[4].values.at[0]->literal, SQL_TRUE);
    assert_int_equal(s->options[5].values.at[0]->literal, SQL_NUMBER);
    assert_int_equal(s->options[6].values.at[0]->literal, SQL_NULL);
    s = statements("copy t (a, b) to 'o' with csv header delimiter '|'", 1);
    assert_int_equal(s->query->n_items, 2);
    assert_int_equal(s->n_options, 3);
    assert_text(s->options[2].values.at[0]->text, "|");
    refused("copy t from 'x'", "COPY .. FROM is not supported");
    refused("copy t to x", "expected the target in single quotes, found x");
}

static void test_refused(void **state)
{
    static const char *const cases[][2] = {
        {"insert into t select 1", "character 1: insert is not supported"},
        {"create table t (a int)", "create is not supported"},
        {"selec 1", "expected SELECT, FROM, WITH"},
        {"select", "SELECT without a list"},
        {"select from t", "SELECT without a list"},
        {"select 1\nfrom t\nwhere group by a", "line 3, character 7: expected an expression"},
        {"select '\xc3\xa9', 1 +", "character 16: expected an expression, found the end"},
        {"select 'abc", "character 8: the closing ' is missing"},
        {"select \"\"", "a name of no characters"},
        {"select 1 /* x", "the comment does not end"},
        {"select 0x1F", "a number is followed by letters"},
        {"select 1 = 2 = 3", "character 14: comparisons do not chain"},
        {"select 1 is distinct from 2 is distinct from 3", "do not chain"},
        {"select a like 'x' like 'y'", "character 19"},
        {"select a is null ilike 'y'", "character 18"},
        {"select a between 1 and 2 between 3 and 4", "character 34"},
        {"select a and b is null + 1", "found +"},
        {"select 1 / ~a", "character 12: behind a tighter operator ~ stands in parentheses"},
        {"select a not in (1) ^ 2", "character 21"},
        {"select a from t for update", "found for"},
        {"select * into t2 from t", "SELECT INTO"},
        {"select trim()", "expected an expression, found )"},
        {"select '2020'::timestamp(null)", "digits"},
        {"select 2 ^ any (select 1)", "ANY and ALL stand behind"},
        {"select a from t limit 1 limit 2", "expected the end of the statement"},
        {"select (1", "expected ), found the end"},
        {"select nullif(1)", "NULLIF takes two arguments"},
        {"values (1), (2, 3)", "this row of VALUES has 2 values, the first one has 1"},
        {"select x'0'", "pairs of the digits"},
        {"select interval 5", "expected a unit"},
        {"select a as", "expected a name"},
        {"select table.a", "found the keyword table"},
        {"select E'\\xff'", "no UTF-8"},
        {"select 'a\xff'", "not UTF-8"},
        {"select 1 from t using sample 3", "USING SAMPLE"},
        {"select 1 from t tablesample 3", "tablesample is not supported"},
        {"select (show tables)", "not supported inside a query"},
        {"select 1 fetch first row only", "FETCH is not supported"},
        {"select $$abc", "the closing $$ is missing"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(cases[i][0], cases[i][1]);
}

static void test_entry_points(void **state)
{
    sql_expr *e;
    nrw_error error = NRW_ERROR_INIT;

    (void)state;
    assert_int_equal(sql_parse_expr(a, text_of("a ="), &e, &error), NRW_E_ARG);
    assert_string_equal(error.message, "character 4: expected an expression, found the end");
    error = (nrw_error)NRW_ERROR_INIT;
    assert_int_equal(sql_parse_expr(a, text_of("group = 1"), &e, &error), NRW_E_ARG);
    assert_string_equal(error.message,
                        "character 1: expected an expression, found the keyword group; as a "
                        "name it is written in double quotes");
    error = (nrw_error)NRW_ERROR_INIT;
    assert_int_equal(sql_parse_expr(a, text_of("a b"), &e, &error), NRW_E_ARG);
    error = (nrw_error)NRW_ERROR_INIT;
    assert_int_equal(sql_fail(text_of("a\nbc"), 3, &error, "no %s", "c"), NRW_E_ARG);
    assert_string_equal(error.message, "line 2, character 2: no c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_precedence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_predicates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_operands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_calls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tree, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_types, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_star, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_items, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_clauses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_groups, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_windows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_with, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_joins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tables, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_statements, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_entry_points, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
