/* Hash joins. Two operators: op_build ends the pipeline of the right side and keeps its rows;
 * op_probe stands in the pipeline of the left side and meets them. Rows leave in the order of the
 * left side, matches of one row in the order of the right side. Right rows that leave for having
 * met somebody or nobody come from a source, afterwards, in their own order. Without keys every row
 * meets every row.
 *
 * A right side that does not fit goes to parts of the spill file by the hashes of its keys. The
 * probe sends left rows after it and passes nothing on; then op_build_parts meets them part by
 * part, a part that is still too large in several passes, and op_build_results gives all that came
 * of it, those right rows too, in the order said above. */
#ifndef EXEC_OP_JOIN_H
#define EXEC_OP_JOIN_H

#include "exec/op.h"
#include "exec/source.h"
#include "expr/scalar.h"
#include "io/spill.h"

typedef enum join_kind {
    JOIN_INNER,
    JOIN_LEFT,
    JOIN_RIGHT,
    JOIN_FULL,
    JOIN_SEMI, /* left rows that have a match */
    JOIN_ANTI, /* left rows that have none */
    JOIN_MARK, /* all left rows, and behind them a boolean: has it a match; with in_nulls as IN says
                */
    JOIN_SINGLE, /* as left, but a second match is an error: scalar subqueries */
    /* the same of the right rows, for which left ones only pass by; with keys */
    JOIN_RIGHT_SEMI,
    JOIN_RIGHT_ANTI,
    JOIN_RIGHT_MARK
} join_kind;

typedef struct join_spec {
    join_kind kind;
    uint32_t n_left, n_right; /* columns of the sides */
    const type *left_types, *right_types;
    uint32_t n_keys;
    const uint32_t *left_keys, *right_keys; /* of equal types; null-safe only where null_equal */
    const bool *null_equal;
    const expr *condition; /* over left, then right columns; NULL: none */
    bool in_nulls;         /* MARK: null where a null on either side leaves it open */
    uint32_t workers;
    uint64_t memory;
    size_t held;
} join_spec;

/* Both live in `a`; the build is closed after the probe. spec's arrays stay. */
nrw_status op_build_new(arena *a, mem *m, const join_spec *spec, spill *s, op **out,
                        nrw_error *err);
/* Whether rows leave by op_build_rest. */
bool join_keeps_right(join_kind k);
/* Whether nothing leaves that way alone: then the probe is the last of its pipeline. */
bool join_only_right(join_kind k);
/* Columns: left, then right (SEMI, ANTI: left; MARK: left, mark; as RIGHT_: right, mark). */
nrw_status op_probe_new(arena *a, mem *m, op *build, op **out, nrw_error *err);
/* Behind the probe's pipeline, one after the other; without morsels where nothing was spilled:
 * parts, whose pipeline has op_build_meet alone, and what came of them. */
source *op_build_parts(op *build);
op *op_build_meet(op *build);
source *op_build_results(op *build);
/* Right rows without a match, nulls for the left columns; of JOIN_RIGHT_SEMI, ANTI and MARK the
 * rows that stay. None where they were among the results. */
source *op_build_rest(op *build);

#endif
