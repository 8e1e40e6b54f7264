/* The end of a pipeline that leads to a writer. */
#ifndef EXEC_OP_WRITE_H
#define EXEC_OP_WRITE_H

#include "exec/op.h"
#include "format/format.h"

typedef struct op_write {
    op base; /* rows_in: what the writer was given */
    writer *to;
} op_write;

/* The writer stays the caller's, who finishes it. Nothing to close. */
op_write op_write_of(writer *to);

#endif
