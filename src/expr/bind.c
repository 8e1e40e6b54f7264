/* The tree as parsed, bound to a schema: NOT pushed into the tests, constants folded, ranges of one
 * column joined. */
#include "expr/own.h"

#include "column/compare.h"

#include <stdio.h>
#include <stdlib.h>

/* How many items are looked at for a range of the same column. */
#define JOIN_AMONG 64

static nrw_status bind(binder *b, const node *n, bool negate, part **out, nrw_error *err);

static nrw_status new_test(binder *b, test_kind kind, part **out, nrw_error *err)
{
    TRY(arena_alloc(b->a, sizeof **out, (void **)out, err));
    TRY(arena_alloc(b->a, sizeof *(*out)->test, (void **)&(*out)->test, err));
    (*out)->test->kind = (uint8_t)kind;
    return NRW_OK;
}

/* ---- columns ---- */

static nrw_status no_column(const binder *b, const node *n, const char *name, nrw_error *err)
{
    const char *near = schema_nearest(b->s, name);
    bool parts = n->path && b->s->n_parts;
    uint32_t count = parts ? b->s->n_parts : b->s->n_fields;
    char all[160] = "";
    size_t len = 0;

    for (uint32_t i = 0; i < count && len < sizeof all; i++) {
        if (len > 100) {
            snprintf(all + len, sizeof all - len, ", and %u more", count - i);
            break;
        }
        len += (size_t)snprintf(all + len, sizeof all - len, "%s%.40s", i ? ", " : "",
                                parts ? b->s->part_paths[i] : b->s->fields[i].name);
    }
    if (n->path && schema_find(b->s, name) >= 0)
        err_next(err, "the column whose name has a dot is written in double quotes");
    else if (near)
        err_next(err, "did you mean %s? (it has %s)", near, all);
    else
        err_next(err, "it has %s", all);
    return expr_fail(b->text, n->at, err, "%.100s has no column %.100s", b->source, name);
}

static nrw_status find_column(binder *b, const node *n, uint32_t *number, type *t, nrw_error *err)
{
    char name[512];
    int32_t at;

    snprintf(name, sizeof name, "%.*s", (int)size_min(n->text.len, 511),
             (const char *)n->text.data);
    at = n->text.len >= sizeof name ? -1
         : n->path                  ? schema_find_part(b->s, name)
                                    : schema_find(b->s, name);
    if (at == -2)
        return expr_fail(b->text, n->at, err, "%.100s is the name of more than one column", name);
    if (at < 0)
        return no_column(b, n, name, err);
    *t = b->s->fields[at].type;
    for (*number = 0; *number < b->p->n_columns; ++*number)
        if (b->p->columns[*number] == (uint32_t)at)
            return NRW_OK;
    b->p->columns[b->p->n_columns++] = (uint32_t)at;
    return NRW_OK;
}

/* ---- one comparison with a literal ---- */

static void key_range(test *t, compare_op op, const place *p)
{
    bool at = p->kind == PLACE_AT;

    t->low = INT64_MIN;
    t->high = INT64_MAX;
    switch (op) {
    case OP_EQ: t->low = t->high = p->key; break;
    case OP_NE:
        t->low = t->high = p->key;
        t->negate = true;
        break;
    case OP_LT:
        if (at && p->key == INT64_MIN)
            t->kind = TEST_NEVER;
        else
            t->high = p->key - at;
        break;
    case OP_LE: t->high = p->key; break;
    case OP_GT:
    case OP_GE:
        if ((op == OP_GT || !at) && p->key == INT64_MAX)
            t->kind = TEST_NEVER;
        else
            t->low = p->key + (op == OP_GT || !at);
        break;
    }
}

static void value_range(test *t, compare_op op, const place *p)
{
    bool at = p->kind == PLACE_AT;

    if (op == OP_EQ || op == OP_NE || op == OP_LT || op == OP_LE)
        t->to = (edge){true, op == OP_LT && at, p->value};
    if (op == OP_EQ || op == OP_NE || op == OP_GT || op == OP_GE)
        t->from = (edge){true, op == OP_GT || (op == OP_GE && !at), p->value};
    t->negate = op == OP_NE;
}

/* The test of a column against a literal's place. */
static void compare_with(test *t, compare_op op, const place *p)
{
    bool less = op == OP_LT || op == OP_LE, greater = op == OP_GT || op == OP_GE;

    t->kind = TEST_RANGE;
    t->keyed = type_has_key(&t->type);
    if (p->kind == PLACE_BELOW || p->kind == PLACE_ABOVE ||
        (p->kind == PLACE_BEHIND && !less && !greater)) {
        bool all =
            op == OP_NE || (p->kind == PLACE_BELOW && greater) || (p->kind == PLACE_ABOVE && less);
        t->kind = all ? TEST_NOT_NULL : TEST_NEVER;
    } else if (t->keyed) {
        key_range(t, op, p);
        if (t->kind == TEST_RANGE && t->low == INT64_MIN && t->high == INT64_MAX)
            t->kind = TEST_NOT_NULL;
    } else {
        value_range(t, op, p);
    }
}

static compare_op flipped(compare_op op)
{
    static const uint8_t flips[] = {[OP_EQ] = OP_EQ, [OP_NE] = OP_NE, [OP_LT] = OP_GT,
                                    [OP_LE] = OP_GE, [OP_GT] = OP_LT, [OP_GE] = OP_LE};
    return flips[op];
}

static compare_op negated(compare_op op)
{
    static const uint8_t others[] = {[OP_EQ] = OP_NE, [OP_NE] = OP_EQ, [OP_LT] = OP_GE,
                                     [OP_LE] = OP_GT, [OP_GT] = OP_LE, [OP_GE] = OP_LT};
    return others[op];
}

static bool holds(compare_op op, int order)
{
    switch (op) {
    case OP_EQ: return order == 0;
    case OP_NE: return order != 0;
    case OP_LT: return order < 0;
    case OP_LE: return order <= 0;
    case OP_GT: return order > 0;
    default: return order >= 0;
    }
}

/* 1 = 1, 'a' < 'b': what programs write that put conditions together. */
static nrw_status compare_literals(binder *b, const node *x, compare_op op, const node *y,
                                   part **out, nrw_error *err)
{
    type number = type_decimal(76, 30), text = type_of(TYPE_UTF8);
    const type *t = x->literal == LITERAL_NUMBER ? &number : &text;
    place p, q;

    TRY(new_test(b, TEST_NEVER, out, err));
    if (x->literal == LITERAL_NULL || y->literal == LITERAL_NULL)
        return NRW_OK;
    if (x->literal != y->literal || (x->literal != LITERAL_NUMBER && x->literal != LITERAL_STRING))
        return expr_fail(b->text, x->at, err, "two literals are compared, where is the column?");
    TRY(literal_place(b->a, b->text, x, t, &p, err));
    TRY(literal_place(b->a, b->text, y, t, &q, err));
    if (p.kind != PLACE_AT || q.kind != PLACE_AT)
        return expr_fail(b->text, x->at, err, "two literals are compared, where is the column?");
    if (holds(op, value_compare(t, p.value, q.value)))
        (*out)->test->kind = TEST_ALWAYS;
    return NRW_OK;
}

static nrw_status not_comparable(const binder *b, const node *n, const type *t, nrw_error *err)
{
    char name[64];

    type_print(t, name, sizeof name);
    return expr_fail(b->text, n->at, err, "%s is not compared", name);
}

static bool has_order(const type *t)
{
    return t->id != TYPE_INTERVAL && !type_is_nested(t);
}

static nrw_status compare_columns(binder *b, const node *x, compare_op op, const node *y, bool safe,
                                  part **out, nrw_error *err)
{
    char first[64], second[64];
    type other;
    test *t;

    TRY(new_test(b, TEST_COLUMNS, out, err));
    t = (*out)->test;
    t->op = (uint8_t)op;
    t->safe = safe;
    TRY(find_column(b, x, &t->column, &t->type, err));
    TRY(find_column(b, y, &t->other, &other, err));
    if (!has_order(&t->type))
        return not_comparable(b, x, &t->type, err);
    if (type_equal(&t->type, &other))
        return NRW_OK;
    type_print(&t->type, first, sizeof first);
    type_print(&other, second, sizeof second);
    return expr_fail(b->text, y->at, err, "columns of different types are compared: %s and %s",
                     first, second);
}

static nrw_status is_operand(const binder *b, const node *n, nrw_error *err)
{
    if (n->kind == NODE_COLUMN || n->kind == NODE_LITERAL)
        return NRW_OK;
    return expr_fail(b->text, n->at, err,
                     "a condition is compared; expected a column or a literal");
}

/* x op y, each a column or a literal. */
static nrw_status compare(binder *b, const node *x, compare_op op, const node *y, part **out,
                          nrw_error *err)
{
    place p;
    test *t;

    TRY(is_operand(b, x, err));
    TRY(is_operand(b, y, err));
    if (x->kind == NODE_LITERAL && y->kind == NODE_LITERAL)
        return compare_literals(b, x, op, y, out, err);
    if (x->kind == NODE_COLUMN && y->kind == NODE_COLUMN)
        return compare_columns(b, x, op, y, false, out, err);
    if (x->kind == NODE_LITERAL)
        return compare(b, y, flipped(op), x, out, err);
    TRY(new_test(b, TEST_NEVER, out, err));
    t = (*out)->test;
    TRY(find_column(b, x, &t->column, &t->type, err));
    if (y->literal == LITERAL_NULL || t->type.id == TYPE_NULL)
        return NRW_OK;
    if (!has_order(&t->type))
        return not_comparable(b, x, &t->type, err);
    TRY(literal_place(b->a, b->text, y, &t->type, &p, err));
    compare_with(t, op, &p);
    return NRW_OK;
}

/* ---- lists of parts ---- */

static bool is_constant(const part *p, test_kind kind)
{
    return p->kind == PART_TEST && p->test->kind == kind;
}

/* Two ranges of keys of one column, both of which must hold, as one. */
static bool join_ranges(test *t, const test *u)
{
    if (t->kind != TEST_RANGE || u->kind != TEST_RANGE || t->column != u->column || !t->keyed ||
        t->negate || u->negate)
        return false;
    t->low = u->low > t->low ? u->low : t->low;
    t->high = u->high < t->high ? u->high : t->high;
    if (t->low > t->high)
        t->kind = TEST_NEVER;
    return true;
}

static void list_append(part *list, part *first, part *last, uint32_t n)
{
    if (list->last)
        list->last->next = first;
    else
        list->items = first;
    list->last = last;
    list->n += n;
}

/* Puts p into the list; what is of the list's own kind with all its items. */
void part_add(part *list, part *p)
{
    const test_kind neutral = list->kind == PART_AND ? TEST_ALWAYS : TEST_NEVER;
    uint32_t among = 0;

    if (is_constant(p, neutral))
        return;
    if (p->kind == list->kind) {
        list_append(list, p->items, p->last, p->n);
        return;
    }
    if (list->kind == PART_AND && p->kind == PART_TEST)
        for (part *i = list->items; i && among < JOIN_AMONG; i = i->next, among++)
            if (i->kind == PART_TEST && join_ranges(i->test, p->test))
                return;
    p->next = NULL;
    list_append(list, p, p, 1);
}

/* A list of one is that one; one with an item that decides is that item. */
nrw_status part_end(binder *b, part *list, part **out, nrw_error *err)
{
    const bool and = list->kind == PART_AND;

    for (part *p = list->items; p; p = p->next)
        if (is_constant(p, and? TEST_NEVER : TEST_ALWAYS)) {
            *out = p;
            p->next = NULL;
            return NRW_OK;
        }
    if (!list->items)
        return new_test(b, and? TEST_ALWAYS : TEST_NEVER, out, err);
    *out = list->items->next ? list : list->items;
    return NRW_OK;
}

static nrw_status bind_list(binder *b, const node *n, bool negate, part **out, nrw_error *err)
{
    part *list, *item;

    TRY(arena_alloc(b->a, sizeof *list, (void **)&list, err));
    list->kind = (n->kind == NODE_AND) != negate ? PART_AND : PART_OR;
    for (const node *i = n->items; i; i = i->next) {
        TRY(bind(b, i, negate, &item, err));
        part_add(list, item);
    }
    return part_end(b, list, out, err);
}

static nrw_status join_two(binder *b, part_kind kind, part *x, part *y, part **out, nrw_error *err)
{
    part *list;

    TRY(arena_alloc(b->a, sizeof *list, (void **)&list, err));
    list->kind = kind;
    part_add(list, x);
    part_add(list, y);
    return part_end(b, list, out, err);
}

/* ---- the other tests ---- */

static nrw_status bind_between(binder *b, const node *n, bool negate, part **out, nrw_error *err)
{
    part *low, *high;

    negate ^= n->negate;
    TRY(compare(b, n->a, negate ? OP_LT : OP_GE, n->b, &low, err));
    TRY(compare(b, n->a, negate ? OP_GT : OP_LE, n->c, &high, err));
    return join_two(b, negate ? PART_OR : PART_AND, low, high, out, err);
}

static nrw_status column_test(binder *b, const node *n, const char *what, test_kind kind,
                              part **out, nrw_error *err)
{
    if (n->kind != NODE_COLUMN)
        return expr_fail(b->text, n->at, err, "%s takes a column", what);
    TRY(new_test(b, kind, out, err));
    return find_column(b, n, &(*out)->test->column, &(*out)->test->type, err);
}

static int by_key(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int by_value(const void *a, const void *b, void *t)
{
    return value_compare(t, *(const span *)a, *(const span *)b);
}

static void sort_list(test *t)
{
    uint32_t kept = 0;

    if (t->keyed)
        qsort(t->keys, t->n, sizeof *t->keys, by_key);
    else
        qsort_r(t->values, t->n, sizeof *t->values, by_value, &t->type);
    for (uint32_t i = 0; i < t->n; i++) {
        bool same =
            i > 0 && (t->keyed ? t->keys[i] == t->keys[kept - 1]
                               : !value_compare(&t->type, t->values[i], t->values[kept - 1]));
        if (same)
            continue;
        if (t->keyed)
            t->keys[kept++] = t->keys[i];
        else
            t->values[kept++] = t->values[i];
    }
    t->n = kept;
}

/* Literals that no value equals are left out. */
static nrw_status list_values(binder *b, const node *n, test *t, bool *has_null, nrw_error *err)
{
    uint32_t count = 0;

    for (const node *i = n->items; i; i = i->next)
        count++;
    TRY(arena_alloc(b->a, count * sizeof *t->keys + 1, (void **)&t->keys, err));
    TRY(arena_alloc(b->a, count * sizeof *t->values + 1, (void **)&t->values, err));
    for (const node *i = n->items; i; i = i->next) {
        place p;
        if (i->kind != NODE_LITERAL)
            return expr_fail(b->text, i->at, err, "the list of IN is made of literals");
        if (i->literal == LITERAL_NULL) {
            *has_null = true;
            continue;
        }
        if (t->type.id == TYPE_NULL)
            continue;
        TRY(literal_place(b->a, b->text, i, &t->type, &p, err));
        if (p.kind != PLACE_AT)
            continue;
        t->keys[t->n] = p.key;
        t->values[t->n++] = p.value;
    }
    sort_list(t);
    return NRW_OK;
}

static nrw_status bind_in(binder *b, const node *n, bool negate, part **out, nrw_error *err)
{
    bool has_null = false;
    test *t;

    TRY(column_test(b, n->a, "IN", TEST_IN, out, err));
    t = (*out)->test;
    if (!has_order(&t->type))
        return not_comparable(b, n->a, &t->type, err);
    t->keyed = type_has_key(&t->type);
    t->negate = negate ^ n->negate;
    TRY(list_values(b, n, t, &has_null, err));
    if (t->negate && has_null)
        t->kind = TEST_NEVER;
    else if (t->n == 0)
        t->kind = t->negate ? TEST_NOT_NULL : TEST_NEVER;
    return NRW_OK;
}

static nrw_status bind_like(binder *b, const node *n, bool negate, part **out, nrw_error *err)
{
    test *t;

    TRY(column_test(b, n->a, "LIKE", TEST_LIKE, out, err));
    t = (*out)->test;
    if (t->type.id != TYPE_UTF8 && t->type.id != TYPE_JSON && t->type.id != TYPE_ENUM)
        return expr_fail(b->text, n->a->at, err, "LIKE takes a column of text");
    if (n->b->kind != NODE_LITERAL ||
        (n->b->literal != LITERAL_STRING && n->b->literal != LITERAL_NULL))
        return expr_fail(b->text, n->b->at, err, "the pattern of LIKE is text in quotes");
    if (n->b->literal == LITERAL_NULL) {
        t->kind = TEST_NEVER;
        return NRW_OK;
    }
    t->negate = negate ^ n->negate;
    t->like = like_of(n->b->text);
    return NRW_OK;
}

static nrw_status null_or(binder *b, const node *column, part *p, part **out, nrw_error *err)
{
    part *null;

    TRY(column_test(b, column, "IS NULL", TEST_NULL, &null, err));
    return join_two(b, PART_OR, null, p, out, err);
}

/* A column of truth values as a condition. */
static nrw_status truth(binder *b, const node *n, bool value, part **out, nrw_error *err)
{
    const place p = {.kind = PLACE_AT, .key = value};
    test *t;

    TRY(column_test(b, n, "a condition", TEST_RANGE, out, err));
    t = (*out)->test;
    if (t->type.id == TYPE_NULL) {
        t->kind = TEST_NEVER;
        return NRW_OK;
    }
    if (t->type.id != TYPE_BOOL)
        return expr_fail(b->text, n->at, err, "a column that is not BOOLEAN stands as a condition");
    compare_with(t, OP_EQ, &p);
    return NRW_OK;
}

static nrw_status bind_is(binder *b, const node *n, bool negate, part **out, nrw_error *err)
{
    negate ^= n->negate;
    if (n->b->literal == LITERAL_NULL)
        return column_test(b, n->a, "IS NULL", negate ? TEST_NOT_NULL : TEST_NULL, out, err);
    if (!negate)
        return bind(b, n->a, !n->b->value, out, err);
    if (n->a->kind != NODE_COLUMN)
        return expr_fail(b->text, n->at, err, "IS NOT %s takes a column",
                         n->b->value ? "TRUE" : "FALSE");
    TRY(truth(b, n->a, !n->b->value, out, err));
    return null_or(b, n->a, *out, out, err);
}

static nrw_status bind_distinct(binder *b, const node *n, bool negate, part **out, nrw_error *err)
{
    const node *x = n->a, *y = n->b;
    bool equal = negate != n->negate;

    TRY(is_operand(b, x, err));
    TRY(is_operand(b, y, err));
    if (x->kind == NODE_LITERAL) {
        x = n->b;
        y = n->a;
    }
    if (x->kind == NODE_LITERAL)
        return expr_fail(b->text, x->at, err, "two literals are compared, where is the column?");
    if (y->kind == NODE_COLUMN)
        return compare_columns(b, x, equal ? OP_EQ : OP_NE, y, true, out, err);
    if (y->literal == LITERAL_NULL)
        return column_test(b, x, "IS", equal ? TEST_NULL : TEST_NOT_NULL, out, err);
    TRY(compare(b, x, equal ? OP_EQ : OP_NE, y, out, err));
    return equal ? NRW_OK : null_or(b, x, *out, out, err);
}

static nrw_status bind(binder *b, const node *n, bool negate, part **out, nrw_error *err)
{
    switch (n->kind) {
    case NODE_AND:
    case NODE_OR: return bind_list(b, n, negate, out, err);
    case NODE_NOT: return bind(b, n->a, !negate, out, err);
    case NODE_COMPARE: return compare(b, n->a, negate ? negated(n->op) : n->op, n->b, out, err);
    case NODE_IN: return bind_in(b, n, negate, out, err);
    case NODE_BETWEEN: return bind_between(b, n, negate, out, err);
    case NODE_LIKE: return bind_like(b, n, negate, out, err);
    case NODE_IS: return bind_is(b, n, negate, out, err);
    case NODE_DISTINCT: return bind_distinct(b, n, negate, out, err);
    case NODE_COLUMN: return truth(b, n, !negate, out, err);
    default: break;
    }
    if (n->literal == LITERAL_NULL)
        return new_test(b, TEST_NEVER, out, err);
    if (n->literal == LITERAL_BOOL)
        return new_test(b, n->value != negate ? TEST_ALWAYS : TEST_NEVER, out, err);
    return expr_fail(b->text, n->at, err, "a literal stands as a condition");
}

nrw_status expr_bind(binder *b, const node *n, part **out, nrw_error *err)
{
    return bind(b, n, false, out, err);
}
