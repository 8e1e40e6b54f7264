/* An operator of a pipeline: takes each batch in turn and pushes what it makes of it to the next
 * one. One operator a file.
 *
 * push is called for every batch by the thread that carries it. An operator that only narrows sets
 * the selection and passes the batch on; one that makes other columns passes a batch of its own
 * with the same morsel, offset and last, and drops the columns it was given. Batches without rows
 * go on as well, when they are the last of their morsel: turns depend on it. Of such a batch no
 * column may be touched but by dropping it.
 *
 * What an operator learns lives in the operator object: per worker (b->worker), or shared under a
 * lock or a turn. An ordered operator waits for its turn with b->morsel and gives it up when
 * b->last, also when it fails. The last operator of a pipeline passes nothing on. */
#ifndef EXEC_OP_H
#define EXEC_OP_H

#include "column/batch.h"
#include "exec/cancel.h"

typedef struct op op;

typedef struct op_class {
    const char *name;
    nrw_status (*push)(op *o, batch *b, nrw_error *err);
    /* Every batch of every pipeline that leads here was pushed; by one thread. NULL: nothing to
     * do. */
    nrw_status (*finish)(op *o, nrw_error *err);
    void (*stop)(op *o); /* wakes all waits; NULL: nothing waits */
    void (*close)(op *o);
    bool limits; /* what it filters is cut off, whatever its values */
    bool deals;  /* rows to many, each of whom a batch costs something */
    bool pure;   /* nothing of the rows stays: it may be given some of them again */
} op_class;

struct op {
    const op_class *class;
    op *next;
    const cancel_flag *cancel; /* NULL: nobody can */
    _Atomic uint64_t rows_in, rows_filtered;
};

/* NRW_E_CANCELLED once somebody asked for it. A step that may last looks now and then. */
static inline nrw_status op_check(const op *o, nrw_error *err)
{
    return cancel_check(o->cancel, err);
}

static inline nrw_status op_pass(op *o, batch *b, nrw_error *err)
{
    TRY(op_check(o, err));
    b->fixed |= !o->class->pure;
    return o->next->class->push(o->next, b, err);
}

/* Whether any of these waits for the morsel before: then its source should cut small ones. */
static inline bool op_any_waits(const op *first)
{
    while (first && !first->class->stop)
        first = first->next;
    return first;
}

/* Whether any of these deals rows out: then its source should cut large ones. */
static inline bool op_any_deals(const op *first)
{
    while (first && !first->class->deals)
        first = first->next;
    return first;
}

static inline void op_count(op *o, uint64_t in, uint64_t filtered)
{
    atomic_fetch_add_explicit(&o->rows_in, in, memory_order_relaxed);
    atomic_fetch_add_explicit(&o->rows_filtered, filtered, memory_order_relaxed);
}

static inline void op_close(op *o)
{
    if (o)
        o->class->close(o);
}

#endif
