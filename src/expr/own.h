/* What the files of this folder share: tokens, the tree as parsed, tests as bound. */
#ifndef EXPR_OWN_H
#define EXPR_OWN_H

#include "expr/expr.h"

/* ---- text to tokens (lex.c) ---- */
typedef enum token_kind {
    TOKEN_END,
    TOKEN_WORD,   /* bare: column or keyword */
    TOKEN_QUOTED, /* a name in double quotes; text without them */
    TOKEN_STRING, /* text without the quotes */
    TOKEN_NUMBER, /* digits, maybe with point and exponent; no sign */
    TOKEN_OP,     /* = <> < <= > >= */
    TOKEN_SIGN    /* one character: ( ) , - + and all others */
} token_kind;

typedef enum compare_op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE } compare_op;

typedef struct token {
    token_kind kind;
    size_t at; /* byte in the text */
    span text;
    uint8_t op; /* compare_op */
} token;

typedef struct lexer {
    arena *a;
    const char *text;
    size_t len, pos;
} lexer;

nrw_status lex_next(lexer *l, token *out, nrw_error *err) NRW_CHECKED;
/* Whether t is this bare keyword (given in lower case), whatever its case. */
bool token_is(const token *t, const char *word);
bool token_is_reserved(const token *t);
bool token_is_sign(const token *t, char c);

/* "--where, character 7: ...": the character that byte `at` of the text is in. */
nrw_status expr_fail(const char *text, size_t at, nrw_error *err, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* ---- tokens to a tree (parse.c) ---- */
typedef enum literal_kind {
    LITERAL_NULL,
    LITERAL_BOOL,
    LITERAL_NUMBER, /* text: digits as typed, `negative` beside them */
    LITERAL_STRING,
    LITERAL_DATE, /* DATE '...' and so on: the text in quotes */
    LITERAL_TIMESTAMP,
    LITERAL_TIME
} literal_kind;

typedef enum node_kind {
    NODE_COLUMN,
    NODE_LITERAL,
    NODE_AND, /* items */
    NODE_OR,
    NODE_NOT,      /* a */
    NODE_COMPARE,  /* a op b */
    NODE_IN,       /* a in items */
    NODE_BETWEEN,  /* a between b and c */
    NODE_LIKE,     /* a like b */
    NODE_IS,       /* a is b, a literal null, true or false */
    NODE_DISTINCT, /* a is distinct from b */
} node_kind;

typedef struct node {
    node_kind kind;
    size_t at;
    bool negate; /* NOT IN, IS NOT ... */
    uint8_t op;
    literal_kind literal;
    bool negative, value; /* of literals: minus; the boolean */
    bool path;            /* of columns: written as one, a.b */
    span text;            /* column name or path, literal */
    struct node *a, *b, *c;
    struct node *items, *next; /* a list and the place in one */
} node;

nrw_status expr_parse(arena *a, const char *text, node **out, nrw_error *err) NRW_CHECKED;
/* What of n, taken apart at its AND, looks at columns of s alone; NULL: nothing (known.c). */
node *node_known(node *n, const schema *s);

/* ---- literals as values of a column's type (literal.c, moment.c) ---- */

/* Where a literal lies among the values of a type. */
typedef enum place_kind {
    PLACE_AT,     /* it is this value */
    PLACE_BEHIND, /* between this value and the next greater one */
    PLACE_BELOW,  /* less than all */
    PLACE_ABOVE   /* greater than all */
} place_kind;

typedef struct place {
    place_kind kind;
    int64_t key; /* of types that have keys */
    span value;  /* of the others, in the layout of vectors */
} place;

/* Types whose values have a 64-bit key that rises with them: all of at most 8 bytes. */
bool type_has_key(const type *t);
int64_t key_of_double(double x);
double double_of_key(int64_t key); /* the number; its key is not beyond infinity */
int64_t key_of_value(const type *t, const uint8_t *value);

/* The literal among the values of t; NRW_E_ARG where it does not have that type. */
nrw_status literal_place(arena *a, const char *text, const node *n, const type *t, place *out,
                         nrw_error *err) NRW_CHECKED;

/* A moment as text: whole seconds and nanoseconds since the epoch (or midnight). */
typedef struct moment {
    int64_t seconds;
    int32_t nanos;
} moment;
bool moment_parse_date(span text, moment *out);
bool moment_parse_timestamp(span text, moment *out);
bool moment_parse_time(span text, moment *out);

/* ---- LIKE (like.c) ---- */
typedef struct like {
    span pattern;
    span prefix; /* what matches starts with: all of it where there is neither % nor _ */
    bool exact;  /* the pattern is its prefix */
    bool tail;   /* the pattern is its prefix and one % */
} like;
like like_of(span pattern);
bool like_matches(const like *l, span text);

/* ---- tests (bind.c) ---- */
typedef enum test_kind {
    TEST_NEVER,
    TEST_ALWAYS,
    TEST_NULL,     /* is null */
    TEST_NOT_NULL, /* is not null */
    TEST_RANGE,    /* from low to high */
    TEST_IN,       /* one of keys or values */
    TEST_LIKE,
    TEST_COLUMNS /* column op other */
} test_kind;

typedef struct edge {
    bool there, open; /* open: the value itself is not in */
    span value;
} edge;

/* Never true of nulls but for TEST_NULL (and TEST_COLUMNS that is null-safe). */
typedef struct test {
    uint8_t kind;           /* test_kind */
    bool negate;            /* of RANGE, IN, LIKE: true of values for which they are not */
    bool keyed;             /* by keys, not values */
    uint8_t op;             /* COLUMNS */
    bool safe;              /* COLUMNS: nulls are values, IS [NOT] DISTINCT FROM */
    uint32_t column, other; /* numbers among predicate_columns */
    type type;
    int64_t low, high; /* keys, both in */
    edge from, to;     /* values */
    uint32_t n;        /* IN, rising */
    int64_t *keys;
    span *values;
    like like;
} test;

typedef enum part_kind { PART_TEST, PART_AND, PART_OR } part_kind;

/* The bound tree: what is true, never what is false or null. */
typedef struct part {
    part_kind kind;
    test *test;
    struct part *items, *next;
    struct part *last; /* of the items */
    uint32_t n;
} part;

typedef enum step_kind {
    STEP_TEST,
    STEP_AND,
    STEP_OR,
    STEP_IF_NONE, /* no row is left: go on at `to` */
    STEP_IF_ALL
} step_kind;

typedef struct step {
    uint8_t kind;
    uint32_t test, to;
} step;

struct predicate {
    row_filter filter; /* first: row_filter is what sources see */
    char *text;
    uint32_t n_columns;
    uint32_t *columns; /* of the schema */
    uint32_t n_tests;
    test *tests;
    uint32_t n_steps, depth;
    step *steps;
};

typedef struct binder {
    arena *a;
    const char *text;
    const schema *s;
    const char *source;
    predicate *p;
} binder;

nrw_status expr_bind(binder *b, const node *n, part **out, nrw_error *err) NRW_CHECKED;
/* Puts p into the list; what is of the list's own kind with all its items. */
void part_add(part *list, part *p);
/* What the list comes to: a list of one is that one; one with an item that decides is that item. */
nrw_status part_end(binder *b, part *list, part **out, nrw_error *err) NRW_CHECKED;

/* ---- testing one vector (eval.c) ---- */
/* Bit i = row i of v passes t; not for TEST_COLUMNS. bits has 64 bytes of slack. */
nrw_status test_vector(const test *t, uint32_t number, predicate_cache *c, const vector *v, mem *m,
                       uint8_t *bits, nrw_error *err) NRW_CHECKED;

/* to &= other, n bits. */
void and_bits(uint8_t *to, const uint8_t *other, uint32_t n);
/* Whether one of the values, flat and none of them null, may pass; true of tests of other things.
 */
bool test_any(const test *t, const vector *values);

/* ---- bounds (bounds.c) ---- */
nrw_status predicate_fill_filter(arena *a, predicate *p, nrw_error *err) NRW_CHECKED;

#endif
