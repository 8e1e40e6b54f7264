/* A schema and the columns that are wanted, compiled to flat steps: values go straight into slots,
 * columns that nobody wants are stepped over. Internal to the Avro folder.
 *
 * A program is const and shared; what runs it is an av_run. */
#ifndef AVRO_PROGRAM_H
#define AVRO_PROGRAM_H

#include "format/avro/schema.h"
#include "format/avro/slot.h"

typedef enum av_op {
    AV_OP_NULL,
    AV_OP_BOOL,
    AV_OP_INT,      /* zigzag to 4 bytes */
    AV_OP_INT_WIDE, /* an int to 8 bytes */
    AV_OP_LONG,
    AV_OP_COPY, /* n bytes as they are */
    AV_OP_TEXT,
    AV_OP_BYTES,
    AV_OP_ENUM,        /* n symbols */
    AV_OP_DECIMAL,     /* with its length in front */
    AV_OP_DECIMAL_FIX, /* n bytes */
    AV_OP_UUID_TEXT,
    AV_OP_BIG_DECIMAL,
    AV_OP_ENUM_MAP,   /* n symbols of the file; theirs in the column as uint32 at `data` */
    AV_OP_INT_FLOAT,  /* a whole number as float */
    AV_OP_INT_DOUBLE, /* a whole number as double */
    AV_OP_FLOAT_DOUBLE,
    AV_OP_JSON,     /* a value of `type` as text */
    AV_OP_STRUCT,   /* its fields follow */
    AV_OP_LIST,     /* its items' steps follow, up to `end`; n: fewest bytes of an item */
    AV_OP_NULLABLE, /* the branch number; null: nulls for `slots` slots from `slot`, then to `end`
                     */
    AV_OP_UNION,    /* the branch number, then to the AV_OP_BRANCH of that number */
    AV_OP_BRANCH,   /* a link in the chain of n branches, the next at `end`; `slots` are its own */
    AV_OP_JUMP,     /* to `end` */
    AV_OP_NULLS,    /* for `slots` slots from `slot` on */
    AV_OP_CHOOSE,   /* of a struct's `slots` slots from `slot` on those of a child follow, `n` from
                       `data` on: nulls for the others */
    AV_OP_DEFAULT,  /* the steps up to `end` read the n bytes at `data` */
    AV_OP_NOT_NULL, /* the branch number; the branch `null` is an error */
    AV_OP_FAIL,     /* a value of `type` has no place in the schema that is read by */
    /* the elements of runs: `maybe` the branch number first, of which `null` has nothing behind it;
       then what the step is named for; then `then` bytes */
    AV_OP_SKIP_FIXED,  /* n bytes */
    AV_OP_SKIP_VARINT, /* n of them, at most AV_NUMBERS_MOST */
    AV_OP_SKIP_BYTES,
    AV_OP_SKIP_LIST, /* as AV_OP_LIST; body_fixed: all items have n bytes */
    AV_OP_SKIP_TYPE  /* a value of `type`, by its schema */
} av_op;

#define AV_NUMBERS_MOST 4

static inline bool av_is_element(av_op op)
{
    return op >= AV_OP_SKIP_FIXED && op <= AV_OP_SKIP_BYTES;
}

typedef struct av_step {
    uint8_t op; /* av_op */
    bool body_fixed;
    bool whole; /* AV_OP_UNION: its first slot is the struct's */
    bool maybe;
    uint32_t slot, slots;
    uint32_t n;
    uint32_t null; /* branch that is null; UINT32_MAX: none */
    uint32_t end;
    uint32_t data; /* place in the program's data */
    uint32_t then;
    uint32_t run;   /* elements from here on; 0: it is none */
    uint32_t place; /* in its run */
    uint32_t guess; /* number of its guess; behind the last one of a run is one more */
    bool entered;   /* steps end in front of it, or go on here */
    const av_type *type;
    const char *name; /* of the column or field, for messages */
} av_step;

/* What an element that is stepped over will look like (pass.h). Where the next eight bytes, masked,
 * are as expected, it has `advance` bytes. They never are where it was given up: what its first
 * two bytes must then be is `head` by `head_mask`, and `advance` lacks what its kind says. */
typedef enum av_guess_kind { AV_AS_BEFORE, AV_SOME_TEXT, AV_SOME_NUMBERS } av_guess_kind;

/* The same of the elements from `first` of the run on whose deciding bytes all lie in the next
 * eight. */
typedef struct av_leap {
    uint64_t mask, expect;
    size_t advance;
    uint32_t first; /* behind the last leap of a run is one that is never right, with the number of
                       elements */
} av_leap;

typedef struct av_form {
    uint64_t mask, expect;
    size_t advance;
} av_form;

/* A leap as it was before one of its elements changed, and that element's guess. */
typedef struct av_other {
    av_form leap, guess;
    uint32_t element; /* of the run */
    uint32_t times;   /* it was exchanged for what there is */
} av_other;

typedef struct av_guess {
    av_leap leap;   /* the one of this number in the run */
    av_other other; /* of that leap; never right where there is none */
    uint64_t mask, expect;
    size_t advance;
    size_t reach;    /* of the first of those that follow each other: what all of them advance */
    uint32_t begins; /* number of the leap that begins with it; UINT32_MAX: none does */
    uint32_t missed; /* record, counted as av_run.rows does, in which it was wrong last */
    uint16_t misses;
    uint16_t head_mask, head;
    uint8_t kind;
    uint8_t shift;  /* bits in front of the numbers, or of the six of a length */
    bool followed;  /* what was seen when it was wrong last is what is expected since */
    bool following; /* it is to be next time, too: what comes anew stays for a while */
} av_guess;

typedef struct av_slot_plan {
    const type *type;
    uint32_t below;
    uint32_t symbols; /* number of its enum's dictionary; UINT32_MAX: none */
    bool repeated;    /* in a list */
} av_slot_plan;

/* A value among what is stepped over (sparse.h). */
typedef struct av_value {
    const av_step *step; /* that reads it */
    uint32_t run;        /* that it begins, of the sparse steps */
} av_value;

typedef struct av_program {
    mem *m;
    av_step *steps, *skip; /* skip: one whole record stepped over */
    uint32_t n_steps, cap_steps, n_skip, cap_skip;
    uint32_t n_guesses, n_skip_guesses; /* of the one and the other */
    av_step *sparse; /* one whole record stepped over, where it has few values; else NULL */
    uint32_t n_sparse, n_sparse_guesses, n_runs;
    av_value *values;
    uint32_t n_values;
    av_slot_plan *slots;
    uint32_t n_slots, cap_slots;
    dict **symbols;
    uint32_t n_symbols, cap_symbols;
    uint32_t n_texts;  /* columns, or parts on their own, of text or binary values */
    uint32_t *outputs; /* slot of each wanted column */
    uint32_t n_outputs;
    bytes data;           /* defaults as values, tables of symbols */
    uint32_t least_bytes; /* of a record */
    uint32_t row_bytes;   /* in slots that are not repeated */
    bool has_lists;
} av_program;

/* cols: places in c->schema, parts included. c outlives the program. Dictionaries of enums are
 * charged to m as all else. */
nrw_status av_program_make(mem *m, const av_columns *c, const uint32_t *cols, uint32_t n,
                           av_program *out, nrw_error *err) NRW_CHECKED;
/* Whether c, with another schema than the file's, can read it: NRW_E_SCHEMA says why not. */
nrw_status av_resolve_check(mem *m, const av_columns *c, nrw_error *err) NRW_CHECKED;
void av_program_release(av_program *p); /* all zero is fine */

/* ---- running ---- */
typedef struct av_run {
    const av_program *program;
    av_slot *slots;
    const uint8_t *p, *end; /* what is left of the block */
    const uint8_t *base;    /* data of the buffer that views point into */
    bool own;               /* what is read lies elsewhere: text is copied */
    uint32_t left;          /* records to be decoded yet, with the one at `record` */
    uint64_t rows;          /* less `left`: records since the guesses were made anew */
    av_guess *guesses;      /* of the program that is run */
    av_guess *sparse_guesses;
    const uint8_t *record; /* where the one in progress begins */
    uint32_t empty;        /* its items of no bytes in lists */
} av_run;

static inline void av_begin_record(av_run *r, const uint8_t *p)
{
    r->record = p;
    r->empty = 0;
}

/* Records into the slots until r->left is 0. NRW_E_CORRUPT, NRW_E_VALUE: err says what is wrong
 * with the record at r->record, the column is set, and r->p is where it was noticed;
 * NRW_E_MEMLIMIT: the slots cannot grow. Slots then hold part of a record. */
nrw_status av_decode(av_run *r, nrw_error *err) NRW_CHECKED;
/* Over one record. NRW_END: its bytes go on behind r->end, and r->p means nothing. */
nrw_status av_skip(av_run *r, nrw_error *err) NRW_CHECKED;

#endif
