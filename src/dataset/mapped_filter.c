/* The tree is walked as it would be evaluated. An entry of the stack is an answer already known, or
 * the steps that were put out for it, which end where the next entry's begin. */
#include "dataset/mapped_filter.h"

typedef struct entry {
    filter_answer answer;
    uint32_t from; /* its first step */
} entry;

typedef struct walk {
    entry *stack;
    uint32_t depth;
    row_filter_step *steps;
    uint32_t n;
} walk;

static bool may_match(const row_filter *f, uint32_t test, const value_facts *facts)
{
    const row_filter *of = ((const mapped_filter *)f)->of;

    return of->may_match(of, test, facts);
}

static bool any_passes(const row_filter *f, uint32_t test, const vector *values)
{
    const row_filter *of = ((const mapped_filter *)f)->of;

    return of->any_passes(of, test, values);
}

static uint32_t n_values(const row_filter *f, uint32_t test)
{
    const row_filter *of = ((const mapped_filter *)f)->of;

    return of->n_values(of, test);
}

static bool value(const row_filter *f, uint32_t test, uint32_t i, uint8_t room[32], span *out)
{
    const row_filter *of = ((const mapped_filter *)f)->of;

    return of->value(of, test, i, room, out);
}

static filter_answer of_null(const row_filter *f, uint32_t test)
{
    const value_facts facts = {.rows = 1, .nulls = 1};

    return f->may_match(f, test, &facts) ? ANSWER_ANY : ANSWER_NONE;
}

void mapped_constant_facts(const vector *v, value_facts *f)
{
    f->nulls = v->null_count ? f->rows : 0;
    f->has_min = f->has_max = f->min_exact = f->max_exact = !v->null_count;
    if (!v->null_count)
        f->min = f->max = flat_span(v, 0);
}

static filter_answer of_constant(const row_filter *f, uint32_t test, const vector *v)
{
    value_facts facts = {.rows = 1};

    if (v->null_count)
        return of_null(f, test);
    mapped_constant_facts(v, &facts);
    return f->may_match(f, test, &facts) && f->any_passes(f, test, v) ? ANSWER_ANY : ANSWER_NONE;
}

static void push_test(walk *w, const row_filter *f, const row_filter_step *s, const map_entry *map,
                      const expr *const *added)
{
    const map_entry *m = &map[s->column];
    entry *e = &w->stack[w->depth++];

    *e = (entry){ANSWER_ANY, w->n};
    if (m->kind == MAP_NULL)
        e->answer = of_null(f, s->test);
    else if (m->kind == MAP_ADDED)
        e->answer = of_constant(f, s->test, added[m->column]->constant);
    if (m->kind != MAP_FILE)
        return;
    e->answer = ANSWER_SOME;
    w->steps[w->n] = *s;
    w->steps[w->n++].column = m->column;
}

static void join(walk *w, const row_filter_step *s)
{
    entry *x = &w->stack[w->depth - 2], *y = &w->stack[w->depth - 1];
    filter_answer decides = s->kind == ROW_FILTER_AND ? ANSWER_NONE : ANSWER_ANY;

    w->depth--;
    if (x->answer == ANSWER_SOME && y->answer == ANSWER_SOME) {
        w->steps[w->n++] = *s;
    } else if (x->answer == decides || y->answer == decides) {
        x->answer = decides;
        w->n = x->from;
    } else if (x->answer != ANSWER_SOME) {
        x->answer = y->answer; /* its steps begin where x's do */
    }
}

nrw_status mapped_filter_of(arena *a, const row_filter *f, const map_entry *map,
                            const expr *const *added, mapped_filter *out, nrw_error *err)
{
    walk w = {0};

    TRY(arena_alloc(a, (f->depth + 1) * sizeof *w.stack, (void **)&w.stack, err));
    TRY(arena_alloc(a, f->n_steps * sizeof *w.steps + 1, (void **)&w.steps, err));
    for (uint32_t i = 0; i < f->n_steps; i++) {
        if (f->steps[i].kind == ROW_FILTER_TEST)
            push_test(&w, f, &f->steps[i], map, added);
        else
            join(&w, &f->steps[i]);
    }
    *out = (mapped_filter){.base = {w.steps, w.n, f->depth, may_match, any_passes, n_values, value},
                           .of = f,
                           .answer = w.stack[0].answer};
    return NRW_OK;
}
