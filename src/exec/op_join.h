/* Hash joins. Two operators: op_build ends the pipeline of the right side and keeps its rows;
 * op_probe stands in the pipeline of the left side and meets them. Rows leave in the order of the
 * left side, matches of one row in the order of the right side. The right rows that nobody met
 * (right and full joins) come from a source, afterwards. Without keys every row meets every row.
 *
 * The right side has to fit into its memory: NRW_E_MEMLIMIT says how many rows did. */
#ifndef EXEC_OP_JOIN_H
#define EXEC_OP_JOIN_H

#include "exec/op.h"
#include "exec/source.h"
#include "expr/scalar.h"

typedef enum join_kind {
    JOIN_INNER,
    JOIN_LEFT,
    JOIN_RIGHT,
    JOIN_FULL,
    JOIN_SEMI, /* left rows that have a match */
    JOIN_ANTI, /* left rows that have none */
    JOIN_MARK, /* all left rows, and behind them a boolean: has it a match; with in_nulls as IN says
                */
    JOIN_SINGLE /* as left, but a second match is an error: scalar subqueries */
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
nrw_status op_build_new(arena *a, mem *m, const join_spec *spec, op **out, nrw_error *err);
/* Once the build is finished. Columns: left, then right (SEMI, ANTI: left; MARK: left, mark). */
nrw_status op_probe_new(arena *a, mem *m, op *build, op **out, nrw_error *err);
/* Right rows without a match, nulls for the left columns; once the probe's pipeline has ended. */
source *op_build_rest(op *build);

#endif
