/* An operator of a pipeline: takes each batch in turn, reads the columns it needs, narrows the
 * selection. What it learns lives in the operator object, touched only under its turn. One
 * operator a file.
 *
 * apply is called for every batch by the thread that carries it. An ordered operator waits for
 * its turn with b->morsel and gives it up when b->last, also when it fails. Afterwards the batch's
 * selection holds the rows that go on. */
#ifndef EXEC_OP_H
#define EXEC_OP_H

#include "format/format.h"

typedef struct op op;

typedef struct op_class {
    const char *name;
    nrw_status (*apply)(op *o, batch *b, nrw_error *err);
    void (*stop)(op *o); /* wakes all waits; NULL: nothing waits */
    void (*close)(op *o);
} op_class;

struct op {
    const op_class *class;
    _Atomic uint64_t rows_in, rows_filtered;
};

static inline void op_close(op *o)
{
    if (o)
        o->class->close(o);
}

#endif
