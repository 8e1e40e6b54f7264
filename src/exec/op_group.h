/* GROUP BY and DISTINCT: groups by keys, with aggregates; the end of one pipeline and the source of
 * another. Groups leave in the order of their key's hash, ties by the key: whatever the threads,
 * the memory and the order of rows.
 *
 * Where a key has marks (dataset/marks.h), groups leave while rows come: first those below the
 * first mark, then those below the second, and so on; the group of a mark's own value before the
 * others behind it; a null, which may come anywhere, last. Where the marked key never falls between
 * two marks, nor stays while other keys change, they leave in that order, which is the input's;
 * else in the order of hashes.
 *
 * Every worker has a table of its own, cut into partitions by the upper bits of the hash. A table
 * that outgrows its share sends its partitions to the spill file, and so go rows that a table would
 * not put together; afterwards each partition is put together alone, and again cut where it is
 * still too large. All workers carry its groups on. */
#ifndef EXEC_OP_GROUP_H
#define EXEC_OP_GROUP_H

#include "dataset/marks.h"
#include "exec/aggregate.h"
#include "exec/op.h"
#include "exec/source.h"
#include "io/spill.h"

#define GROUP_HANG 160u /* bytes that a row may hang from one state, about */
#define GROUP_SLICE_NEAR                                                                           \
    4096u /* rows that are grouped at a time, of groups that stay in the cache */
#define GROUP_SHARED_FROM                                                                          \
    (BATCH_MAX_ROWS / 2) /* groups: where a batch's rows have fewer, they go to the worker's own   \
                            table all the same */

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

/* With marks, before rows come: it passes groups on to `next`, those below a mark once the rows
 * before it have come, in morsels of its input's numbers, which begin with first_morsel. The
 * source has the rest, one morsel, when all rows have come. A key that passed a mark before has
 * passed the statistics: NRW_E_CORRUPT, maybe of the source. */
void op_group_stream(op *o, op *next, uint64_t first_morsel);

#endif
