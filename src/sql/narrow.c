/* What conditions leave of the rows of each relation, where the metadata tell it: what is only
 * guessed by a condition's form keeps all, since who has too little memory spills. */
#include "exec/room.h"
#include "sql/bind_own.h"

#include <math.h>

/* So many times as many values may lie in a stretch, or be equal to one, as on average. */
#define UNEVEN 4

static nrw_status part_of_scan(arena *a, const sql_catalog *c, const plan_estimate *e, double *out,
                               nrw_error *err)
{
    part_kept k;

    TRY(scan_kept(a, c, e, &k, err));
    *out = fmin(1, k.told * k.named * UNEVEN);
    return NRW_OK;
}

static double part_of(const plan_estimate *e)
{
    return e->whole ? (double)e->rows / (double)e->whole : 1;
}

/* Conditions of both sides may pick the same rows. */
static double part_of_join(const plan_estimate *e)
{
    double left = part_of(e->left), right = part_of(e->right);

    switch (e->of->join) {
    case JOIN_INNER: return e->of->n_join_keys ? fmin(left, right) : left * right;
    case JOIN_LEFT:
    case JOIN_RIGHT:
    case JOIN_FULL: return fmax(left, right);
    case JOIN_RIGHT_SEMI:
    case JOIN_RIGHT_ANTI:
    case JOIN_RIGHT_MARK: return right;
    default: return left;
    }
}

static nrw_status part_kept_of(arena *a, const sql_catalog *c, const plan_estimate *e, double *out,
                               nrw_error *err)
{
    *out = 1;
    switch (e->of->kind) {
    case PLAN_SCAN: return part_of_scan(a, c, e, out, err);
    case PLAN_JOIN: *out = part_of_join(e); break;
    case PLAN_UNION: *out = fmax(part_of(e->left), part_of(e->right)); break;
    case PLAN_GROUP: /* as many groups as before, if there are so many rows */
    case PLAN_SORT:
    case PLAN_LIMIT:
        if (e->rows > e->left->rows)
            *out = (double)e->left->rows / (double)e->rows;
        break;
    default: *out = e->left ? part_of(e->left) : 1;
    }
    return NRW_OK;
}

/* At least one row, if there were any. */
static uint64_t some_of(uint64_t rows, double part)
{
    return rows == UNKNOWN || part >= 1 ? rows : (uint64_t)((double)rows * part) + (rows > 0);
}

nrw_status plan_estimate_narrow(arena *a, const sql_catalog *c, plan_estimate *e, nrw_error *err)
{
    double part;

    if (e->left)
        TRY(plan_estimate_narrow(a, c, e->left, err));
    if (e->right)
        TRY(plan_estimate_narrow(a, c, e->right, err));
    TRY(part_kept_of(a, c, e, &part, err));
    e->rows = some_of(e->rows, part);
    e->few = room_at_most(some_of(e->few, part), e->rows);
    return NRW_OK;
}
