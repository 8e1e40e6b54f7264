/* What the files of scalar expressions share: functions, how calls are bound, and what evaluating
 * one row or one column takes.
 *
 * A function is a row of a table (function_table.c lists the tables). Its parameters are a word, a
 * letter a type:
 *
 *   b BOOLEAN   1 2 4 8 TINYINT .. BIGINT   h HUGEINT   A B C D UTINYINT .. UBIGINT   H UHUGEINT
 *   f FLOAT   d DOUBLE   n DECIMAL of any shape   s VARCHAR   x BLOB   u UUID   j JSON
 *   t DATE   c TIME   k TIME_NS   z TIMETZ   S TIMESTAMP   N TIMESTAMP_NS   M TIMESTAMP_MS
 *   E TIMESTAMP_S   Z TIMESTAMPTZ   i INTERVAL   L any list   R any struct   P any map   * anything
 *
 * and at its end + (the last one again, any number of times) or ? (the last one may be missing).
 * The result is such a letter as well; '=' is the type of the first argument, '!' what `bind` says.
 */
#ifndef EXPR_FUNCTION_H
#define EXPR_FUNCTION_H

#include "expr/scalar.h"

typedef __int128 i128;
typedef unsigned __int128 u128;

/* ---- calls while they are built ---- */

typedef struct binding {
    arena *a;
    const function *f;
    const char *name; /* as called, lower case */
    uint32_t n, n_written;
    const expr **written; /* the arguments as given */
    const expr **args;    /* may be replaced and made fewer */
    type *want;           /* what the arguments are cast to; as many as there were arguments */
    const span *names;    /* of arguments; or NULL */
    type result;
    scalar_eval eval;
    const void *data;
    bool fails, changes, sees_nulls;
    const expr *instead; /* set by a bind that answers with another expression */
} binding;

typedef nrw_status (*function_bind)(binding *b, nrw_error *err);

enum {
    SEES_NULLS = 1, /* evaluates rows whose arguments are null, too */
    FAILS = 2,
    CHANGES = 4, /* not a function of its arguments alone */
    GROWS = 8    /* a text of any length may come of short ones */
};

struct function {
    const char *name, *params, *result;
    scalar_eval eval;
    uint8_t flags;
    function_bind bind; /* or NULL */
};

typedef struct function_set {
    const function *at;
    uint32_t n;
} function_set;
#define FUNCTION_SET(array)                                                                        \
    {                                                                                              \
        (array), sizeof(array) / sizeof *(array)                                                   \
    }

/* Every table, in the order of function_table.c. */
extern const function_set *const function_tables[];
extern const uint32_t n_function_tables;

/* Refusals while binding: NRW_E_ARG. */
nrw_status bind_fail(nrw_error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "name(INTEGER, VARCHAR)", cut. */
void call_print(const char *name, const expr *const *args, uint32_t n, char *out, size_t cap);
/* The call of these arguments, which have the types wanted; folded where all are constant. */
nrw_status make_call(const binding *b, const expr **out, nrw_error *err) NRW_CHECKED;
/* AND, OR, CASE, COALESCE, TRY: the args have the types that they need. */
nrw_status make_branch(arena *a, expr_kind kind, const type *t, const expr *const *args, uint32_t n,
                       const expr **out, nrw_error *err) NRW_CHECKED;
/* A constant without value of this type; TYPE_NULL: it bends. */
nrw_status make_null(arena *a, const type *t, const expr **out, nrw_error *err) NRW_CHECKED;
/* Row 0 of v as a constant. */
nrw_status make_constant(arena *a, const vector *v, literal_bend bend, const expr **out,
                         nrw_error *err) NRW_CHECKED;
/* e itself, or a constant where it has no column and changes nothing. */
nrw_status fold(arena *a, const expr *e, const expr **out, nrw_error *err) NRW_CHECKED;
/* The value of a constant: its text, its number. False where it is null or has another type. */
bool constant_text(const expr *e, span *out);
bool constant_int(const expr *e, int64_t *out);
bool constant_is_null(const expr *e);

/* ---- types (coercion.c) ---- */

bool type_is_integer(const type *t);
bool type_is_signed(const type *t);
bool type_is_float(const type *t);
bool type_is_numeric(const type *t); /* integers, decimals, floats */
bool type_is_text(const type *t);
/* The type that a letter stands for; false for those that stand for several. */
bool type_of_letter(char c, type *out);
/* Digits that a decimal needs for every value of an integer type. */
int integer_digits10(const type *t);
/* As type_common, but what compares may be further apart: text with numbers. */
nrw_status type_compared(arena *a, const expr *x, const expr *y, type *out, nrw_error *err);
/* The smallest decimal, at most 38 digits, that holds both (integers and decimals). */
type decimal_common(const type *x, const type *y);
/* DECIMAL(p, 0) for an integer type, a decimal itself. */
type decimal_of(const type *t);

/* ---- evaluating ---- */

/* Row i of argument k. */
#define ROW(args_, k, i) ((args_)->constant[k] ? 0 : (i))

/* The arguments of a call, typed. */
#define ARG(type_, args_, k) ((const type_ *)(const void *)(args_)->at[k]->data)
#define OUT(type_, out_)     ((type_ *)(void *)(out_)->data)

/* out[i] = expression of x. */
#define LOOP1(IN, OUT_T, expression)                                                               \
    do {                                                                                           \
        const IN *restrict x_ = ARG(IN, args, 0);                                                  \
        OUT_T *restrict z_ = OUT(OUT_T, out);                                                      \
        for (size_t i = 0; i < args->rows; i++) {                                                  \
            const IN x = x_[i];                                                                    \
            z_[i] = (OUT_T)(expression);                                                           \
        }                                                                                          \
    } while (0)

#define LOOP2_(X, Y, OUT_T, xi, yi, expression)                                                    \
    do {                                                                                           \
        const X *restrict x_ = ARG(X, args, 0);                                                    \
        const Y *restrict y_ = ARG(Y, args, 1);                                                    \
        OUT_T *restrict z_ = OUT(OUT_T, out);                                                      \
        for (size_t i = 0; i < args->rows; i++) {                                                  \
            const X x = x_[xi];                                                                    \
            const Y y = y_[yi];                                                                    \
            z_[i] = (OUT_T)(expression);                                                           \
        }                                                                                          \
    } while (0)

/* out[i] = expression of x and y; each of the two may be a constant. */
#define LOOP2(X, Y, OUT_T, expression)                                                             \
    do {                                                                                           \
        if (args->constant[0])                                                                     \
            LOOP2_(X, Y, OUT_T, 0, i, expression);                                                 \
        else if (args->constant[1])                                                                \
            LOOP2_(X, Y, OUT_T, i, 0, expression);                                                 \
        else                                                                                       \
            LOOP2_(X, Y, OUT_T, i, i, expression);                                                 \
    } while (0)

static inline bool row_valid(const vector *out, uint32_t i)
{
    return !out->validity || bit_get(out->validity, i);
}
/* Makes row i of out null. */
nrw_status row_null(vector *out, uint32_t i, nrw_error *err) NRW_CHECKED;

/* Text results, row by row: bytes go into heaps of out. */
typedef struct text_out {
    vector *out;
    buffer *b;
    int32_t heap;
} text_out;

/* Room for n bytes; they become row i with text_done, at most n of them. */
nrw_status text_room(text_out *t, size_t n, uint8_t **at, nrw_error *err) NRW_CHECKED;
void text_done(text_out *t, uint32_t i, size_t n);
nrw_status text_put(text_out *t, uint32_t i, const void *p, size_t n, nrw_error *err) NRW_CHECKED;
/* Drops what is held for writing; out keeps its heaps. */
void text_end(text_out *t);
/* Row i of out is a part of row `row` of v, whose heaps out has (vector_share_heaps). */
void text_part(vector *out, uint32_t i, const vector *v, uint32_t row, span part);

/* The value of a call over args that are vectors of any form, `rows` long. */
nrw_status call_eval(const expr *e, vector *args, uint32_t rows, mem *m, vector *out,
                     nrw_error *err) NRW_CHECKED;
nrw_status branch_eval(const expr *e, const vector *const *columns, uint32_t rows, mem *m,
                       vector *out, nrw_error *err) NRW_CHECKED;
/* null_count from the bitmap; values under nulls become zero. */
void settle_nulls(vector *v);

/* ---- casts (cast.c) ---- */

/* The kernel that casts between two types; NULL where there is none. */
scalar_eval cast_between(const type *from, const type *to);
typedef struct cast_spec {
    bool try;          /* what does not fit becomes null */
    const void *inner; /* of nested types: cast_spec and kernel of each child */
} cast_spec;
static inline bool cast_tries(const expr *call)
{
    const cast_spec *s = call->data;
    return s && s->try;
}
/* A value that does not cast: null for TRY_CAST, else the error. */
nrw_status cast_fail(const expr *call, vector *out, uint32_t i, const vector *from, uint32_t row,
                     nrw_error *err);

#endif
