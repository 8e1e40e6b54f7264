/* How long one thread would be at a plan, about: sources, operators and expressions by their rows,
 * each at what it takes where nothing helps and nothing is in the way. Good enough to tell some
 * milliseconds from some hundred. */
#include "exec/room.h"
#include "sql/estimate.h"

/* Nanoseconds: of a value, of a call; of a row at a step; of a file that is opened. */
#define READ_VALUE      1u
#define BYTES_AT_A_TIME 8u
#define CALL            2u
#define CALL_TEXT       40u
#define CALL_NESTED     400u
#define FEW_GROUPS_ROW  8u
#define GROUP_ROW       35u
#define AGGREGATE       2u
#define AGGREGATE_MORE  60u /* something hangs from its state */
#define FIRST_ROW       40u
#define SORT_ROW        250u
#define BEST_ROW        30u /* of few that stay */
#define WINDOW_CALL     30u
#define PROBE_ROW       40u
#define BUILD_ROW       70u
#define PAIR            4u
#define WRITE_VALUE     15u
#define WRITE_BYTE      2u
#define OPEN_FILE       100000u
/* Groups are few that stay in the cache; texts that are there so often each. */
#define FEW_GROUPS 4096u
#define REPEATED   16u

static uint64_t times(uint64_t rows, uint64_t each)
{
    return room_mul(rows, each);
}

/* Rows that come of e, a guess: whoever is wrong here has a thread more or less. */
static uint64_t passing(const plan_estimate *e)
{
    return e->rows == UNKNOWN ? UNKNOWN : (uint64_t)((double)e->rows * e->guess) + 1;
}

/* Of few texts a call looks at each once: they come as a dictionary. */
static bool is_few(const plan_estimate *in, const expr *arg)
{
    return arg->kind == EXPR_COLUMN && in->distinct[arg->column] < in->whole / REPEATED;
}

static uint64_t call_effort(const plan_estimate *in, const expr *e)
{
    uint64_t sum = CALL;
    bool text = type_is_view(&e->type), nested = type_is_nested(&e->type), few = e->n_args > 0;

    if (e->kind == EXPR_COLUMN || e->kind == EXPR_CONSTANT)
        return 0;
    for (uint32_t i = 0; i < e->n_args; i++) {
        const expr *arg = e->args[i];
        sum = room_add(sum, call_effort(in, arg));
        text |= type_is_view(&arg->type);
        nested |= type_is_nested(&arg->type);
        few &= arg->kind == EXPR_CONSTANT || is_few(in, arg);
        if (arg->kind == EXPR_COLUMN && type_is_view(&arg->type))
            sum = room_add(sum, few ? 0 : in->width[arg->column]);
    }
    if (nested)
        return room_add(sum, CALL_NESTED);
    return text && !few ? room_add(sum, CALL_TEXT) : sum;
}

static uint64_t calls_effort(const plan_estimate *in, const expr *const *e, uint64_t n)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < n; i++)
        sum = room_add(sum, call_effort(in, e[i]));
    return sum;
}

/* Of all values of a row, by their bytes. */
static uint64_t row_effort(const plan_estimate *e)
{
    return room_add(e->of->n * READ_VALUE, plan_row_width(e) / BYTES_AT_A_TIME);
}

static uint64_t scan_effort(const plan_estimate *e)
{
    const plan *p = e->of;
    uint64_t row = room_add(row_effort(e), calls_effort(e, p->pushed, p->n_pushed));

    return room_add(times(p->table->files, OPEN_FILE), times(e->whole, row));
}

static uint64_t group_effort(const plan_estimate *e)
{
    const plan *p = e->of;
    uint64_t row = !p->n_keys ? 0 : e->rows < FEW_GROUPS ? FEW_GROUPS_ROW : GROUP_ROW;

    for (uint32_t i = 0; i < p->n_aggregates; i++) {
        const aggregate *g = &p->aggregates[i];
        row = room_add(row, g->class->drop ? AGGREGATE_MORE : AGGREGATE);
        row = room_add(row, calls_effort(e->left, g->args, g->n_args));
    }
    return times(passing(e->left), row);
}

static uint64_t join_effort(const plan_estimate *e)
{
    const plan *p = e->of;
    uint64_t left = passing(e->left), right = passing(e->right);
    uint64_t sum = room_add(times(left, PROBE_ROW), times(right, BUILD_ROW));
    uint64_t pair = PAIR;

    if (p->condition)
        pair = room_add(pair, call_effort(e, p->condition));
    sum = room_add(sum, times(passing(e), room_add(pair, row_effort(e))));
    return p->n_join_keys ? sum : room_add(sum, times(times(left, right), pair));
}

/* Of one step alone. */
static uint64_t step_effort(const plan_estimate *e)
{
    const plan *p = e->of;

    switch (p->kind) {
    case PLAN_SCAN: return scan_effort(e);
    case PLAN_VALUES: return times(p->n_rows, calls_effort(e, p->exprs, p->n));
    case PLAN_RANGE: return times(e->rows, READ_VALUE);
    case PLAN_PROJECT: return times(passing(e->left), calls_effort(e->left, p->exprs, p->n));
    case PLAN_FILTER: return times(passing(e->left), calls_effort(e->left, p->exprs, 1));
    case PLAN_GROUP: return group_effort(e);
    case PLAN_SORT:
        return times(passing(e->left), p->limit < e->left->rows / 2 ? BEST_ROW : SORT_ROW);
    case PLAN_JOIN: return join_effort(e);
    case PLAN_WINDOW:
        return times(passing(e->left), SORT_ROW + (uint64_t)p->n_windows * WINDOW_CALL);
    case PLAN_FIRST: return times(passing(e->left), FIRST_ROW);
    case PLAN_LIMIT:
    case PLAN_UNION: break;
    }
    return 0;
}

static uint64_t below(const plan_estimate *e)
{
    return e ? room_add(step_effort(e), room_add(below(e->left), below(e->right))) : 0;
}

uint64_t plan_effort(const plan_estimate *e)
{
    uint64_t row = room_add(e->of->n * WRITE_VALUE, times(plan_row_width(e), WRITE_BYTE));

    return room_add(below(e), times(e->rows, row));
}
