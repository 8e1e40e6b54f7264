#include "exec/op_write.h"

static nrw_status write_push(op *base, batch *b, nrw_error *err)
{
    writer *to = ((op_write *)base)->to;

    op_count(base, batch_alive(b), 0);
    return to->class->push(to, b, err);
}

static void write_stop(op *base)
{
    writer *to = ((op_write *)base)->to;

    to->class->stop(to);
}

static void write_close(op *base)
{
    (void)base;
}

static const op_class write_class = {"write", write_push, NULL, write_stop, write_close};

op_write op_write_of(writer *to)
{
    return (op_write){.base.class = &write_class, .to = to};
}
