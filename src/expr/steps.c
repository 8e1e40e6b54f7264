/* From texts to a predicate: the bound tree laid out as steps over a stack. */
#include "expr/own.h"

#include <stdio.h>

/* Counts of what the tree becomes. */
static void measure(const part *p, uint32_t *tests, uint32_t *steps)
{
    *tests += p->kind == PART_TEST;
    *steps += p->kind == PART_TEST;
    for (const part *i = p->items; i; i = i->next) {
        measure(i, tests, steps);
        *steps += 2;
    }
}

/* Depth of the stack that the steps need, `below` of it in use already. */
static void lay_out(predicate *p, const part *x, uint32_t below)
{
    uint32_t first = p->n_steps;

    p->depth = p->depth > below + 1 ? p->depth : below + 1;
    if (x->kind == PART_TEST) {
        p->tests[p->n_tests] = *x->test;
        p->steps[p->n_steps++] = (step){.kind = STEP_TEST, .test = p->n_tests++};
        return;
    }
    for (const part *i = x->items; i; i = i->next) {
        bool joins = i != x->items;
        if (joins)
            p->steps[p->n_steps++].kind = x->kind == PART_AND ? STEP_IF_NONE : STEP_IF_ALL;
        lay_out(p, i, below + joins);
        if (joins)
            p->steps[p->n_steps++].kind = x->kind == PART_AND ? STEP_AND : STEP_OR;
    }
    /* the jumps of this list, not of those inside, which are set already */
    for (uint32_t k = first; k < p->n_steps; k++)
        if ((p->steps[k].kind == STEP_IF_NONE || p->steps[k].kind == STEP_IF_ALL) &&
            p->steps[k].to == 0)
            p->steps[k].to = p->n_steps;
}

static nrw_status make_steps(arena *a, predicate *p, const part *x, nrw_error *err)
{
    uint32_t tests = 0, steps = 0;

    measure(x, &tests, &steps);
    TRY(arena_alloc(a, tests * sizeof *p->tests, (void **)&p->tests, err));
    TRY(arena_alloc(a, steps * sizeof *p->steps, (void **)&p->steps, err));
    lay_out(p, x, 0);
    return NRW_OK;
}

/* The texts as one. */
static nrw_status join_texts(arena *a, const char *const *texts, uint32_t n, predicate *p,
                             nrw_error *err)
{
    size_t len = 1, at = 0;

    for (uint32_t i = 0; i < n; i++)
        len += strlen(texts[i]) + 7;
    TRY(arena_alloc(a, len, (void **)&p->text, err));
    for (uint32_t i = 0; i < n; i++)
        at += (size_t)snprintf(p->text + at, len - at, n > 1 ? "%s(%s)" : "%s%s", i ? " and " : "",
                               texts[i]);
    return NRW_OK;
}

nrw_status predicate_reads(arena *a, const char *text, bool *reads, nrw_error *err)
{
    nrw_error why = NRW_ERROR_INIT;
    node *tree;
    nrw_status st = expr_parse(a, text, &tree, &why);

    *reads = st >= 0;
    if (st < 0 && st != NRW_E_ARG && err)
        *err = why;
    return st == NRW_E_ARG ? NRW_OK : st;
}

/* With `some`: the parts that s has all columns of. */
static nrw_status parse(arena *a, const char *const *texts, uint32_t n, const schema *s,
                        const char *source, bool some, predicate **out, nrw_error *err)
{
    binder b = {.a = a, .s = s, .source = source};
    part *all, *item, *joined;
    uint32_t bound = 0;

    *out = NULL;
    TRY(arena_alloc(a, sizeof *b.p, (void **)&b.p, err));
    TRY(arena_alloc(a, (s->n_fields + s->n_parts + 1) * sizeof *b.p->columns,
                    (void **)&b.p->columns, err));
    TRY(arena_alloc(a, sizeof *all, (void **)&all, err));
    all->kind = PART_AND;
    for (uint32_t i = 0; i < n; i++) {
        node *tree;
        b.text = texts[i];
        TRY(expr_parse(a, texts[i], &tree, err));
        if (some && !(tree = node_known(tree, s)))
            continue;
        TRY(expr_bind(&b, tree, &item, err));
        part_add(all, item);
        bound++;
    }
    if (some && !bound)
        return NRW_OK;
    TRY(part_end(&b, all, &joined, err));
    TRY(join_texts(a, texts, n, b.p, err));
    TRY(make_steps(a, b.p, joined, err));
    TRY(predicate_fill_filter(a, b.p, err));
    *out = b.p;
    return NRW_OK;
}

nrw_status predicate_parse(arena *a, const char *const *texts, uint32_t n, const schema *s,
                           const char *source, predicate **out, nrw_error *err)
{
    return parse(a, texts, n, s, source, false, out, err);
}

nrw_status predicate_parse_some(arena *a, const char *const *texts, uint32_t n, const schema *s,
                                const char *source, predicate **out, nrw_error *err)
{
    return parse(a, texts, n, s, source, true, out, err);
}

uint32_t predicate_columns(const predicate *p, const uint32_t **columns)
{
    *columns = p->columns;
    return p->n_columns;
}

bool predicate_is_always(const predicate *p)
{
    return p->n_steps == 1 && p->tests[0].kind == TEST_ALWAYS;
}

const char *predicate_text(const predicate *p)
{
    return p->text;
}
