/* Typed expressions: built by a binder, folded, then evaluated over vectors, one batch at a time.
 *
 * An expression is a tree of constants, columns (by number), calls of functions, and the few forms
 * that decide which of their parts are looked at at all (AND, OR, CASE, COALESCE, TRY). Names are
 * resolved and every argument has exactly the type that the function asks for: implicit casts are
 * calls like others.
 *
 * Answers are DuckDB's: integer overflow is an error, `/` gives a double, comparisons with null are
 * null, NaN is greater than all numbers and equals itself, text compares by bytes.
 *
 * Trees are const once built and may be evaluated by any number of threads. */
#ifndef EXPR_SCALAR_H
#define EXPR_SCALAR_H

#include "column/vector.h"

typedef struct expr expr;
typedef struct function function;

typedef enum expr_kind {
    EXPR_COLUMN,   /* `column` */
    EXPR_CONSTANT, /* `constant`: one row, flat */
    EXPR_CALL,
    EXPR_AND, /* args; three-valued, cheapest decided first is the caller's business */
    EXPR_OR,
    EXPR_CASE,     /* args: when, then, when, then, ..., else */
    EXPR_COALESCE, /* first that is not null */
    EXPR_TRY       /* args[0], null where it fails */
} expr_kind;

/* Literals whose type is not settled by themselves: they bend to what they meet. */
typedef enum literal_bend {
    BEND_NO,
    BEND_STRING,  /* 'x': casts implicitly to anything, exactly as CAST would */
    BEND_INTEGER, /* 7: any integer type that holds it */
    BEND_NULL     /* NULL: any type */
} literal_bend;

/* Fills out (flat, `rows` rows, all types as bound). Nulls: unless the function said otherwise, out
 * has its validity already (null where any argument is), the function fills the other rows and
 * may clear more bits. args[i] is flat; constants[i]: it has one row that stands for all. */
typedef struct scalar_args {
    uint32_t rows, n;
    const vector *const *at;
    const bool *constant;
    mem *m;
} scalar_args;
typedef nrw_status (*scalar_eval)(const expr *call, const scalar_args *args, vector *out,
                                  nrw_error *err);

struct expr {
    expr_kind kind;
    uint8_t bend; /* literal_bend, of constants */
    bool fails; /* some rows may end in an error: must not be evaluated for rows nobody asked for */
    bool changes; /* not a function of its arguments alone (random()) : never folded or shared */
    type type;
    uint32_t column;
    const vector *constant;
    const function *f;
    scalar_eval eval;
    bool sees_nulls;  /* the function handles nulls of its arguments itself */
    const void *data; /* what the function made of its constant arguments: a regular expression */
    uint32_t n_args;
    const expr **args;
    uint32_t n_written; /* the arguments as given, where the function took some into `data` */
    const expr **written;
};

static inline bool expr_is_constant(const expr *e)
{
    return e->kind == EXPR_CONSTANT;
}

/* ---- building; everything lies in the arena, errors are NRW_E_ARG with DuckDB's sense ---- */

nrw_status expr_column(arena *a, uint32_t column, const type *t, const expr **out, nrw_error *err);
nrw_status expr_null(arena *a, const expr **out, nrw_error *err);
nrw_status expr_bool(arena *a, bool x, const expr **out, nrw_error *err);
nrw_status expr_int64(arena *a, int64_t x, const expr **out, nrw_error *err); /* BIGINT */
nrw_status expr_text(arena *a, span text, const expr **out, nrw_error *err);  /* VARCHAR, bends */
nrw_status expr_blob(arena *a, span bytes, const expr **out, nrw_error *err);
/* Digits as written: INTEGER (bends), BIGINT, HUGEINT, DECIMAL or DOUBLE as DuckDB has it. */
nrw_status expr_number(arena *a, span digits, const expr **out, nrw_error *err);
/* A value of a type that is not nested, as flat_span gives it; copied. */
nrw_status expr_flat(arena *a, const type *t, span value, const expr **out, nrw_error *err);
/* Row `row` of any vector as a constant; copied. */
nrw_status expr_value(arena *a, const vector *v, uint32_t row, const expr **out, nrw_error *err);

/* A function or operator by its name in any case ("+", "substring"): finds the overload, casts the
 * arguments, folds constants. "=", "<>", "<", "<=", ">", ">=", "is distinct from", "is not distinct
 * from", "not", "is null", "is not null", "~~" (LIKE), "~~*", "and", "or", "coalesce", "case", "in"
 * (first of the others), "row", "list_value", "struct_pack" (names in `names`), "map",
 * "array_extract", "array_slice" are such names as well. names may be NULL. */
nrw_status expr_call(arena *a, const char *name, const expr *const *args, const span *names,
                     uint32_t n, const expr **out, nrw_error *err) NRW_CHECKED;
/* list_transform and list_filter: args are a list, then what else the body looks at; the body's
 * columns are n_params parameters (the element, its place from 1), then those arguments. */
nrw_status expr_lambda(arena *a, const char *name, const expr *const *args, uint32_t n,
                       uint32_t n_params, const expr *body, const expr **out,
                       nrw_error *err) NRW_CHECKED;
bool expr_takes_lambda(const char *name);
/* Whether e calls the function of that name, in lower case. */
bool expr_is_call(const expr *e, const char *name);
/* Whether e makes another type of its one argument, as CAST does. */
bool expr_is_cast(const expr *e);
/* Whether e is a part of a date that goes through its few values again (a month, an hour: `values`
 * of them) or that stays the same for some days (a year); 0: it does not. */
bool expr_date_part(const expr *e, uint32_t *values, uint32_t *days);
/* The field of args[0], a struct, that e takes; -1: it takes none. */
int32_t expr_field(const expr *e);
/* As CAST or, with `try`, TRY_CAST. The same expression where it has the type already. */
nrw_status expr_cast(arena *a, const expr *e, const type *to, bool try, const expr **out,
                     nrw_error *err) NRW_CHECKED;
/* Whether `from` casts to `to` without being asked, and how far that is (less is nearer). */
bool type_casts(const expr *from, const type *to, uint32_t *distance);
/* The one type that both go to in UNION, CASE, IN, VALUES and comparisons. */
nrw_status type_common(arena *a, const expr *x, const expr *y, type *out, nrw_error *err);

/* A copy where column i is replaced by columns[i] (for push-down and for joining trees). */
nrw_status expr_replace(arena *a, const expr *e, const expr *const *columns, const expr **out,
                        nrw_error *err);
bool expr_equal(const expr *a, const expr *b);
/* A copy where what equals known[i], a computed one, is column first + i: so that it is evaluated
 * once, where known[0..n) are evaluated before e, for the same rows. */
nrw_status expr_share(arena *a, const expr *e, const expr *const *known, uint32_t n, uint32_t first,
                      const expr **out, nrw_error *err);
/* Whether its values may be of any length, however short those are that it looks at. */
bool expr_grows(const expr *e);
/* Calls see(column) for every column it looks at; a column may come several times. */
void expr_columns(const expr *e, void (*see)(void *self, uint32_t column), void *self);

/* ---- evaluating ---- */

/* The value of e for each of `rows` rows. columns[i] is column i, any form, of exactly `rows` rows;
 * those that e does not look at may be NULL. out may be of any form (a column is shared; a
 * dictionary stays one where the function needs each entry once; a constant is one run). Memory is
 * charged to m. */
nrw_status expr_eval(const expr *e, const vector *const *columns, uint32_t rows, mem *m,
                     vector *out, nrw_error *err) NRW_CHECKED;
/* The rows for which e (a boolean) is true, rising; out has room for `rows`. */
nrw_status expr_select(const expr *e, const vector *const *columns, uint32_t rows, mem *m,
                       uint16_t *out, uint32_t *n, nrw_error *err) NRW_CHECKED;

#endif
