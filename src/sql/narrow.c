/* What conditions leave of the rows of each relation, where the metadata tell it: what is only
 * guessed by a condition's form keeps all, since who has too little memory spills.
 *
 * Conditions of both sides of a join leave the product of what each leaves, but for what is asked
 * of the keys: that both sides were asked alike. The margin is counted once, at each relation. */
#include "exec/room.h"
#include "sql/bind_own.h"

#include <math.h>

/* So many times as many values may lie in a stretch, be equal to one, or meet another condition, as
 * on average. */
#define UNEVEN 1.5

static nrw_status narrow_scan(arena *a, const sql_catalog *c, plan_estimate *e, nrw_error *err)
{
    part_kept k;

    TRY(scan_kept(a, c, e, &k, e->kept, err));
    e->part = k.told * k.named;
    e->guess = k.guessed / k.named;
    return NRW_OK;
}

static void take_kept(plan_estimate *e, uint32_t at, const plan_estimate *from)
{
    for (uint32_t c = 0; c < from->of->n && at + c < e->of->n; c++)
        e->kept[at + c] = from->kept[c];
}

static void narrow_project(plan_estimate *e)
{
    for (uint32_t c = 0; c < e->of->n; c++)
        if (e->of->exprs[c]->kind == EXPR_COLUMN)
            e->kept[c] = e->left->kept[e->of->exprs[c]->column];
    e->part = e->left->part;
}

static void narrow_filter(plan_estimate *e)
{
    uint32_t column;
    double named = expr_named(e->left, e->of->exprs[0], &column);

    take_kept(e, 0, e->left);
    if (column != UINT32_MAX)
        e->kept[column] *= named;
    e->part = e->left->part * named;
    e->guess = e->left->guess * fmin(1, expr_kept(e->of->exprs[0]) / named);
}

/* As many as before, if there are so many rows. */
static void narrow_rows(plan_estimate *e)
{
    double rows = (double)e->left->whole * e->left->part;

    if (e->of->kind != PLAN_GROUP)
        take_kept(e, 0, e->left);
    for (uint32_t k = 0; e->of->kind == PLAN_GROUP && k < e->of->n_keys; k++)
        e->kept[k] = e->left->kept[k];
    e->part = e->whole ? fmin(1, rows / (double)e->whole) : 1;
}

/* No more than their keys have combinations where those come from. */
static nrw_status narrow_groups(arena *a, plan_estimate *e, nrw_error *err)
{
    uint64_t most;

    narrow_rows(e);
    if (!e->of->n_keys)
        return NRW_OK;
    TRY(plan_combinations(a, e->left, e->of->n_keys, false, &most, err));
    if (most < e->whole)
        e->part = fmin(e->part, (double)most / UNEVEN / (double)e->whole);
    return NRW_OK;
}

/* Of the keys that `met` had before its conditions, which left no more keys than rows; what was
 * asked of the keys themselves counts on the other side. */
static double part_of_keys(const plan_estimate *met, const uint32_t *keys, uint32_t n)
{
    double values = 1, asked = 1;

    for (uint32_t k = 0; k < n; k++) {
        if (met->distinct[keys[k]] == UNKNOWN)
            return 1;
        values *= (double)met->distinct[keys[k]];
        asked *= met->kept[keys[k]];
    }
    values = fmin(values, (double)met->whole);
    return values > 0 ? fmin(1, (double)met->whole * met->part / asked / values) : 1;
}

static double part_of_pairs(const plan_estimate *e)
{
    const plan *p = e->of;
    double left = e->left->part, right = e->right->part, both = left * right;

    for (uint32_t k = 0; k < p->n_join_keys; k++)
        both /= fmax(e->left->kept[p->left_keys[k]], e->right->kept[p->right_keys[k]]);
    if (p->n_join_keys)
        both = fmin(both, fmin(left, right));
    return both;
}

static void narrow_join(plan_estimate *e)
{
    const plan *p = e->of;
    uint32_t column;

    switch (p->join) {
    case JOIN_INNER: e->part = part_of_pairs(e); break;
    case JOIN_LEFT:
    case JOIN_RIGHT:
    case JOIN_FULL: e->part = fmax(e->left->part, e->right->part); break;
    case JOIN_SEMI:
        e->part = e->left->part * part_of_keys(e->right, p->right_keys, p->n_join_keys);
        break;
    case JOIN_RIGHT_SEMI:
        e->part = e->right->part * part_of_keys(e->left, p->left_keys, p->n_join_keys);
        break;
    case JOIN_RIGHT_ANTI:
    case JOIN_RIGHT_MARK: e->part = e->right->part; break;
    default: e->part = e->left->part;
    }
    if (join_only_right(p->join)) {
        take_kept(e, 0, e->right);
        return;
    }
    if (p->join != JOIN_RIGHT && p->join != JOIN_FULL)
        take_kept(e, 0, e->left);
    if (p->join == JOIN_INNER)
        take_kept(e, p->left->n, e->right);
    if (p->join == JOIN_INNER && p->condition)
        e->part *= expr_named(e, p->condition, &column);
}

/* Rows that meet somebody; groups are as many as before, perhaps. */
static double guess_of(const plan_estimate *e)
{
    const double left = e->left ? e->left->guess : 1, right = e->right ? e->right->guess : 1;

    if (e->of->kind == PLAN_GROUP)
        return 1;
    if (e->of->kind == PLAN_JOIN &&
        (e->of->join == JOIN_INNER || e->of->join == JOIN_SEMI || e->of->join == JOIN_RIGHT_SEMI))
        return left * right;
    return e->right ? fmax(left, right) : left;
}

static void narrow_union(plan_estimate *e)
{
    double left = (double)e->left->whole, right = (double)e->right->whole;

    if (left + right > 0)
        e->part = (left * e->left->part + right * e->right->part) / (left + right);
}

static nrw_status narrow_one(arena *a, const sql_catalog *c, plan_estimate *e, nrw_error *err)
{
    switch (e->of->kind) {
    case PLAN_SCAN: return narrow_scan(a, c, e, err);
    case PLAN_PROJECT: narrow_project(e); break;
    case PLAN_FILTER: narrow_filter(e); break;
    case PLAN_JOIN: narrow_join(e); break;
    case PLAN_UNION: narrow_union(e); break;
    case PLAN_GROUP: return narrow_groups(a, e, err);
    case PLAN_SORT:
    case PLAN_LIMIT: narrow_rows(e); break;
    default:
        if (e->left) {
            take_kept(e, 0, e->left);
            e->part = e->left->part;
        }
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
    if (e->left)
        TRY(plan_estimate_narrow(a, c, e->left, err));
    if (e->right)
        TRY(plan_estimate_narrow(a, c, e->right, err));
    e->part = 1;
    e->guess = guess_of(e);
    for (uint32_t i = 0; i < e->of->n; i++)
        e->kept[i] = 1;
    TRY(narrow_one(a, c, e, err));
    e->rows = some_of(e->rows, e->part * UNEVEN);
    e->few = room_at_most(some_of(e->few, e->part * UNEVEN), e->rows);
    return NRW_OK;
}
