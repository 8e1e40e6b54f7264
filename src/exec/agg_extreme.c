/* min(x), max(x), of any type with an order. What is no longer than a word has a state of its own
 * kind, with nothing hanging from it. */
#include "exec/agg_extreme.h"
#include "column/compare.h"
#include "exec/agg_value.h"

static bool is_max(const aggregate *g)
{
    return g->class->names[2] == 'a';
}

static bool is_word(const aggregate *g)
{
    return g->state_bytes == sizeof(word_state);
}

/* Whether the state changes with v. */
static bool beats(const aggregate *g, const uint8_t *state, span v)
{
    const value_state *s = (const value_state *)(const void *)state;
    int c;

    if (is_word(g))
        return word_beats((const word_state *)(const void *)state,
                          word_of(&g->result, v.data, is_max(g)));
    c = s->there ? value_compare(&g->result, v, value_of(s)) : 0;
    return !s->there || (is_max(g) ? c > 0 : c < 0);
}

static nrw_status take(const aggregate *g, uint8_t *state, span v, mem *m, nrw_error *err)
{
    if (!is_word(g))
        return beats(g, state, v) ? value_set((value_state *)(void *)state, v, m, err) : NRW_OK;
    word_take((word_state *)(void *)state, word_of(&g->result, v.data, is_max(g)));
    return NRW_OK;
}

/* Row of the least or greatest value that there is; n: all are null. */
static uint32_t best_of_any(const aggregate *g, const vector *v, uint32_t n)
{
    uint32_t best = n;
    span most = {0};

    for (uint32_t i = 0; i < n; i++) {
        span x;
        int c = 0;
        if (!vector_is_valid(v, i))
            continue;
        x = flat_span(v, i);
        if (best < n)
            c = value_compare(&g->result, x, most);
        if (best == n || (is_max(g) ? c > 0 : c < 0)) {
            best = i;
            most = x;
        }
    }
    return best;
}

/* Of whole numbers without nulls that order as int32 or int64 do. */
#define BEST(ctype)                                                                                \
    do {                                                                                           \
        const ctype *x = (const ctype *)(const void *)v->data;                                     \
        ctype least = x[0], most = x[0];                                                           \
        for (uint32_t i = 1; i < n; i++) {                                                         \
            least = x[i] < least ? x[i] : least;                                                   \
            most = x[i] > most ? x[i] : most;                                                      \
        }                                                                                          \
        for (best = 0; x[best] != (is_max(g) ? most : least);)                                     \
            best++;                                                                                \
    } while (0)

static bool is_plain(const type *t)
{
    return t->id == TYPE_INT32 || t->id == TYPE_DATE || t->id == TYPE_INT64 || t->id == TYPE_TIME ||
           t->id == TYPE_TIMESTAMP || (t->id == TYPE_DECIMAL && t->width <= 8);
}

static uint32_t best_of(const aggregate *g, const vector *v, uint32_t n)
{
    uint32_t best;

    if (n == 0 || v->validity || !is_plain(&v->type))
        return best_of_any(g, v, n);
    if (v->type.width == 4)
        BEST(int32_t);
    else
        BEST(int64_t);
    return best;
}

/* The extreme of one batch goes to the state alone. */
static nrw_status add_one_group(const aggregate *g, const aggregate_rows *r, const vector *v,
                                uint32_t n, nrw_error *err)
{
    uint32_t best = best_of(g, v, n);

    return best < n ? take(g, r->states[0], flat_span(v, best), r->m, err) : NRW_OK;
}

/* Entries of a dictionary that a row uses, once each. Most often none is better than what the state
 * has, and rows need no look. */
static nrw_status add_entries(const aggregate *g, const aggregate_rows *r, const vector *v,
                              nrw_error *err)
{
    const uint32_t *index = (const uint32_t *)(const void *)v->data;
    const vector *entries = &v->dict->values;
    uint8_t *s = r->states[0];
    uint32_t best = best_of(g, entries, entries->len);
    uint8_t *used;
    nrw_status st = NRW_OK;

    if (best == entries->len || !beats(g, s, flat_span(entries, best)))
        return NRW_OK;
    TRY(mem_zalloc(r->scratch, entries->len, (void **)&used, err));
    for (uint32_t i = 0; i < r->n; i++)
        used[index[i]] |= vector_is_valid(v, i);
    for (uint32_t k = 0; st >= 0 && k < entries->len; k++)
        if (used[k])
            st = take(g, s, flat_span(entries, k), r->m, err);
    mem_free(r->scratch, used, entries->len);
    return st;
}

static nrw_status extreme_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    const vector *v = r->args[0];
    vector flat;
    nrw_status st = NRW_OK;

    if (r->one && v->form == VECTOR_RUNS && v->values->form == VECTOR_FLAT)
        return add_one_group(g, r, v->values, v->n_runs, err);
    if (r->one && v->form == VECTOR_DICT && v->dict->values.len <= r->n / 4)
        return add_entries(g, r, v, err);
    TRY(agg_flat(r, 0, &flat, err));
    if (r->one)
        st = add_one_group(g, r, &flat, r->n, err);
    else if (is_word(g))
        word_add(&flat, r, is_max(g));
    for (uint32_t i = 0; st >= 0 && !r->one && !is_word(g) && i < r->n; i++)
        if (vector_is_valid(&flat, i))
            st = take(g, agg_state(r, i), flat_span(&flat, i), r->m, err);
    vector_release(&flat);
    return st;
}

static nrw_status extreme_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                                nrw_error *err)
{
    const value_state *s = (const value_state *)(const void *)from;

    return s->there ? take(g, into, value_of(s), m, err) : NRW_OK;
}

static nrw_status words_merge(const aggregate *g, uint8_t *into, uint8_t *from, mem *m,
                              nrw_error *err)
{
    const word_state *s = (const word_state *)(const void *)from;

    (void)g;
    (void)m;
    (void)err;
    if (s->there)
        word_take((word_state *)(void *)into, s->word);
    return NRW_OK;
}

static nrw_status words_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                               nrw_error *err)
{
    (void)err;
    for (uint32_t i = 0; i < n; i++) {
        const word_state *s = (const word_state *)(const void *)states[i];
        if (s->there)
            word_put(&g->result, s->word, is_max(g), out->data + (size_t)i * out->type.width);
        else
            agg_put_null(out, i);
    }
    return NRW_OK;
}

static nrw_status extreme_bind(arena *a, const expr **args, aggregate *out, nrw_error *err);

/* The first two by name; those of words in the same order. */
static const aggregate_class classes[] = {
    {" min ", 1, 1, AGG_UNPLACED, extreme_bind, extreme_add, extreme_merge, value_finish,
     value_drop, value_save, value_load, value_bulk},
    {" max ", 1, 1, AGG_UNPLACED, extreme_bind, extreme_add, extreme_merge, value_finish,
     value_drop, value_save, value_load, value_bulk},
};
static const aggregate_class words[] = {
    {" min ", 1, 1, AGG_UNPLACED, extreme_bind, extreme_add, words_merge, words_finish, AGG_PLAIN},
    {" max ", 1, 1, AGG_UNPLACED, extreme_bind, extreme_add, words_merge, words_finish, AGG_PLAIN},
};

static nrw_status extreme_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    TRY(agg_any(a, &args[0], err));
    if (type_is_nested(&args[0]->type))
        return err_set(err, NRW_E_ARG, "min and max of nested values are not supported");
    out->result = args[0]->type;
    out->state_bytes = sizeof(value_state);
    if (word_fits(&args[0]->type)) {
        out->class = &words[out->class - classes];
        out->state_bytes = sizeof(word_state);
    }
    return NRW_OK;
}

const aggregate_table agg_extreme_table = {classes, sizeof classes / sizeof *classes};
