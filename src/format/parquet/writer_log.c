#include "format/parquet/writer_log.h"

/* Parts below HELD_LEAST are not worth their place in a list in memory. */
enum { FOLD = 8, TAIL_FIRST = 128, HELD_LEAST = 2048 };

nrw_status pq_part_new(const pq_log_env *e, span data, pq_part *out, nrw_error *err)
{
    *out = (pq_part){0};
    if (data.len > UINT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "a page of %zu bytes", data.len);
    bool hold = e->held && data.len >= HELD_LEAST;
    uint8_t *copy = hold ? mem_try_alloc(e->held, data.len) : NULL;
    if (copy) {
        memcpy(copy, data.data, data.len);
        *out = (pq_part){.data = copy, .len = (uint32_t)data.len};
        return NRW_OK;
    }
    pq_part p = {.len = (uint32_t)data.len};
    TRY(spill_write(e->spill, data, false, &p.block, err));
    *out = p;
    return NRW_OK;
}

/* Gives back what lies on disk below a folded part. Space that cannot be read back to be freed is
 * freed with the spill file. */
static void free_folded(const pq_log_env *e, const pq_part *p)
{
    pq_part below[FOLD];
    if (spill_read(e->spill, &p->block, below, NULL) == NRW_OK) {
        for (int i = 0; i < FOLD; i++)
            pq_part_release(e, &below[i]);
    }
}

void pq_part_release(const pq_log_env *e, pq_part *p)
{
    if (p->data) {
        mem_free(e->held, p->data, p->len);
    } else if (p->len) {
        if (p->level)
            free_folded(e, p);
        spill_free(e->spill, &p->block);
    }
    *p = (pq_part){0};
}

/* While the last eight parts are spilled and of one level: writes their descriptions out and
 * keeps the one part that leads to them. */
static nrw_status fold(const pq_log_env *e, pq_log *l, nrw_error *err)
{
    while (l->n >= FOLD) {
        pq_part *last = l->parts + l->n - FOLD;
        for (int i = 0; i < FOLD; i++) {
            if (last[i].data || last[i].level != last[FOLD - 1].level)
                return NRW_OK;
        }
        pq_part up = {.len = FOLD * sizeof *last, .level = last->level + 1};
        span list = {(const uint8_t *)last, up.len};
        TRY(spill_write(e->spill, list, false, &up.block, err));
        l->n -= FOLD;
        l->parts[l->n++] = up;
    }
    return NRW_OK;
}

static nrw_status push_part(const pq_log_env *e, pq_log *l, const pq_part *p, nrw_error *err)
{
    TRY(fold(e, l, err));
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? 2 * l->cap : 2;
        void *at = l->parts;
        TRY(mem_realloc(e->m, &at, l->cap * sizeof *l->parts, cap * sizeof *l->parts, err));
        l->parts = at;
        l->cap = cap;
    }
    l->parts[l->n++] = *p;
    return NRW_OK;
}

nrw_status pq_log_adopt(const pq_log_env *e, pq_log *l, pq_part *p, nrw_error *err)
{
    nrw_status st = NRW_OK;
    if (l->tail_len) {
        pq_part sealed;
        TRY_OUT(pq_part_new(e, (span){l->tail, l->tail_len}, &sealed, err));
        st = push_part(e, l, &sealed, err);
        if (st < 0) {
            pq_part_release(e, &sealed);
            goto out;
        }
        l->tail_len = 0;
    }
    uint32_t len = p->len;
    TRY_OUT(push_part(e, l, p, err));
    l->len += len;
    *p = (pq_part){0};
    return NRW_OK;
out:
    pq_part_release(e, p);
    return st;
}

static nrw_status grow_tail(const pq_log_env *e, pq_log *l, size_t more, nrw_error *err)
{
    size_t cap = l->tail_cap ? l->tail_cap : TAIL_FIRST;
    while (cap < l->tail_len + more)
        cap *= 2;
    cap = size_min(cap, e->tail_max);
    if (cap <= l->tail_cap)
        return NRW_OK;
    void *at = l->tail;
    TRY(mem_realloc(e->m, &at, l->tail_cap, cap, err));
    l->tail = at;
    l->tail_cap = (uint32_t)cap;
    return NRW_OK;
}

nrw_status pq_log_append(const pq_log_env *e, pq_log *l, span data, nrw_error *err)
{
    if (data.len >= e->tail_max / 2) {
        pq_part p;
        TRY(pq_part_new(e, data, &p, err));
        return pq_log_adopt(e, l, &p, err);
    }
    if (l->tail_len + data.len > e->tail_max) {
        pq_part p;
        TRY(pq_part_new(e, (span){l->tail, l->tail_len}, &p, err));
        uint32_t len = l->tail_len;
        l->tail_len = 0;
        l->len -= len;
        nrw_status st = pq_log_adopt(e, l, &p, err);
        if (st < 0)
            return st;
    }
    TRY(grow_tail(e, l, data.len, err));
    if (data.len)
        memcpy(l->tail + l->tail_len, data.data, data.len);
    l->tail_len += (uint32_t)data.len;
    l->len += data.len;
    return NRW_OK;
}

nrw_status pq_log_evict(const pq_log_env *e, pq_log *l, uint64_t *want, nrw_error *err)
{
    for (uint32_t i = 0; i < l->n && *want; i++) {
        pq_part *p = &l->parts[i];
        if (!p->data)
            continue;
        TRY(spill_write(e->spill, (span){p->data, p->len}, false, &p->block, err));
        mem_free(e->held, p->data, p->len);
        p->data = NULL;
        *want -= p->len < *want ? p->len : *want;
    }
    return NRW_OK;
}

void pq_log_release(const pq_log_env *e, pq_log *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        pq_part_release(e, &l->parts[i]);
    mem_free(e->m, l->parts, l->cap * sizeof *l->parts);
    mem_free(e->m, l->tail, l->tail_cap);
    *l = (pq_log){0};
}

static nrw_status walk_part(const pq_log_env *e, const pq_part *p, pq_log_visit visit, void *self,
                            nrw_error *err)
{
    if (p->level) {
        pq_part below[FOLD];
        TRY(spill_read(e->spill, &p->block, below, err));
        for (int i = 0; i < FOLD; i++)
            TRY(walk_part(e, &below[i], visit, self, err));
        return NRW_OK;
    }
    if (p->data)
        return visit(self, (span){p->data, p->len}, err);
    void *window = NULL;
    TRY(mem_alloc(e->m, p->len, &window, err));
    nrw_status st = spill_read(e->spill, &p->block, window, err);
    if (st == NRW_OK)
        st = visit(self, (span){window, p->len}, err);
    mem_free(e->m, window, p->len);
    return st;
}

nrw_status pq_log_walk(const pq_log_env *e, const pq_log *l, pq_log_visit visit, void *self,
                       nrw_error *err)
{
    for (uint32_t i = 0; i < l->n; i++)
        TRY(walk_part(e, &l->parts[i], visit, self, err));
    if (l->tail_len)
        TRY(visit(self, (span){l->tail, l->tail_len}, err));
    return NRW_OK;
}

nrw_status pq_part_to_target(const pq_log_env *e, const pq_part *p, target *t, nrw_error *err)
{
    if (p->level) {
        pq_part below[FOLD];
        TRY(spill_read(e->spill, &p->block, below, err));
        for (int i = 0; i < FOLD; i++)
            TRY(pq_part_to_target(e, &below[i], t, err));
        return NRW_OK;
    }
    if (p->data)
        return target_write(t, (span){p->data, p->len}, err);
    return p->len ? target_append_spill(t, e->spill, &p->block, err) : NRW_OK;
}

/* Parts in memory that lie one behind the other in the file. */
typedef struct gathered {
    span pieces[TARGET_PIECES];
    size_t n;
} gathered;

static nrw_status put_gathered(gathered *g, target *t, nrw_error *err)
{
    size_t n = g->n;
    g->n = 0;
    return n > 1 ? target_write_list(t, g->pieces, n, err)
           : n   ? target_write(t, g->pieces[0], err)
                 : NRW_OK;
}

static nrw_status gather(gathered *g, span piece, target *t, nrw_error *err)
{
    g->pieces[g->n++] = piece;
    return g->n == TARGET_PIECES ? put_gathered(g, t, err) : NRW_OK;
}

nrw_status pq_log_to_target(const pq_log_env *e, const pq_log *l, target *t, nrw_error *err)
{
    gathered g = {.n = 0};
    for (uint32_t i = 0; i < l->n; i++) {
        const pq_part *p = &l->parts[i];
        if (p->data) {
            TRY(gather(&g, (span){p->data, p->len}, t, err));
        } else {
            TRY(put_gathered(&g, t, err));
            TRY(pq_part_to_target(e, p, t, err));
        }
    }
    if (l->tail_len)
        TRY(gather(&g, (span){l->tail, l->tail_len}, t, err));
    return put_gathered(&g, t, err);
}
