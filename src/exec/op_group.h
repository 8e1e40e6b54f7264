/* GROUP BY and DISTINCT: groups by keys, with aggregates; the end of one pipeline and the source of
 * another. Groups leave in the order of their key's hash, ties by the key: whatever the threads,
 * the memory and the order of rows. Where a key has marks (dataset/marks.h), those below the first
 * mark leave first, then those below the second, and so on; a null, which may come anywhere, last.
 *
 * Every worker has a table of its own, cut into partitions by the upper bits of the hash. A table
 * that outgrows its share sends its partitions to the spill file, and so go rows that a table would
 * not put together; afterwards each partition is put together alone, and again cut where it is
 * still too large. */
#ifndef EXEC_OP_GROUP_H
#define EXEC_OP_GROUP_H

#include "dataset/marks.h"
#include "exec/aggregate.h"
#include "exec/op.h"
#include "exec/source.h"
#include "io/spill.h"

#define GROUP_HANG 160u /* bytes that a row may hang from one state, about */

typedef struct group_spec {
    /* Columns of the input: the keys first, then what the aggregates look at. Their expressions
     * (arguments and filters) are columns of the input alone. */
    uint32_t n_keys;
    const type *key_types;
    uint32_t n_aggregates;
    const aggregate *aggregates;
    uint32_t workers;
    uint64_t memory; /* what the tables may take, all together */
    size_t held;
    const key_marks *marks; /* of key `marked_key`, in the rows that come; NULL: none are known */
    uint32_t marked_key;
} group_spec;

/* `a` keeps layouts; it lives as long as the operator. */
nrw_status op_group_new(arena *a, mem *m, const group_spec *spec, spill *s, op **out,
                        nrw_error *err);
/* Columns: keys, then results. Without keys one row comes, also of no input. Lives as long as the
 * operator and is used once it is finished. */
source *op_group_source(op *o);

/* With marks, by one thread, while nothing is pushed: the rows before the mark (NULL: all rows)
 * have come, and the groups below it are the source's next morsels, numbered from 0; *any: there
 * are some. A key that passed a mark before has passed the statistics: NRW_E_CORRUPT, maybe of the
 * source. */
nrw_status op_group_ready(op *o, const key_mark *mark, bool *any, nrw_error *err) NRW_CHECKED;
/* They have left: their room is given back, and rows may come again. */
nrw_status op_group_again(op *o, nrw_error *err) NRW_CHECKED;

#endif
