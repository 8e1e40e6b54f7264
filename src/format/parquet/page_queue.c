/* Pages between their actor and their place in the file: full, not compressed yet.
 *
 * All threads share one queue. A page enters it in its column's turn, with a slot that fixes its
 * place; who has nothing better to do takes the oldest page, compresses and stores it, or splices
 * a chunk. Of many writers a queue is empty when its last pusher leaves. Nobody sleeps beside work
 * that others may wait for: a thread that makes the queue longer than its bound shortens it, one
 * that waits for the horizon does all there is first, and so does the end of the file. */
#include "format/parquet/writer_own.h"

static void free_pending(pq_writer *w, pq_pending *d)
{
    pq_page_out_release(&d->page);
    mem_free(w->m, d, sizeof *d);
}

static nrw_status add_one(pq_writer *w, uint64_t group, uint32_t leaf, pq_page_out *page,
                          nrw_error *err)
{
    void *p = NULL;
    TRY(mem_zalloc(w->m, sizeof(pq_pending), &p, err));
    pq_pending *d = p;
    d->group = group;
    d->leaf = leaf;
    nrw_status st = pq_group_reserve(w, group, leaf, page, &d->slot, err);
    if (st < 0) {
        mem_free(w->m, d, sizeof *d);
        return st;
    }
    bytes_release(&page->min); /* the record has what is kept of them */
    bytes_release(&page->max);
    bytes_release(&page->levels);
    buffer_unref(page->hashes);
    page->hashes = NULL;
    d->page = *page;
    *page = (pq_page_out){0};
    pthread_mutex_lock(&w->lock);
    *(w->queue.first ? w->queue.end : &w->queue.first) = d;
    w->queue.end = &d->next;
    w->queue.bytes += d->page.body->len;
    if (w->queue.sleepers)
        pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    return NRW_OK;
}

nrw_status pq_queue_add(pq_writer *w, uint64_t group, uint32_t leaf, pq_page_list *pages,
                        nrw_error *err)
{
    nrw_status st = NRW_OK;
    for (uint32_t i = 0; i < pages->n && st == NRW_OK; i++)
        st = add_one(w, group, leaf, &pages->at[i], err);
    for (uint32_t i = 0; i < pages->n; i++)
        pq_page_out_release(&pages->at[i]);
    pages->n = 0;
    return st;
}

/* The oldest page, if more than `most` bytes wait. */
static pq_pending *take(pq_writer *w, uint64_t most)
{
    pthread_mutex_lock(&w->lock);
    pq_pending *d = !most || w->queue.bytes > most ? w->queue.first : NULL;
    if (d) {
        w->queue.first = d->next;
        w->queue.bytes -= d->page.body->len;
    }
    pthread_mutex_unlock(&w->lock);
    return d;
}

static nrw_status pack(pq_writer *w, const pq_pending *d, nrw_error *err)
{
    const pq_column_options *options = pq_leaf_options(w, d->leaf);
    pq_bench *b = NULL;
    span page;
    uint32_t header_len;
    TRY(pq_bench_take(w->room, d->page.body->len, &b, err));
    nrw_status st = pq_page_pack(b, options, w->opts->page_crc, &d->page, &page, &header_len, err);
    if (st == NRW_OK)
        st = pq_group_store(w, d, page, header_len, err);
    pq_bench_give(w->room, b);
    return st;
}

/* Takes the page. Chunks are spliced in step with pages, so that memory is free in time. */
static nrw_status finish(pq_writer *w, pq_pending *d, nrw_error *err)
{
    nrw_status st = pack(w, d, err);
    if (st < 0)
        err_at_column(err, w->leaves.at[d->leaf].name);
    free_pending(w, d);
    TRY(st);
    bool any;
    return pq_group_leave(w, &any, err);
}

nrw_status pq_queue_shrink(pq_writer *w, uint64_t most, nrw_error *err)
{
    pq_pending *d;
    while ((d = take(w, most)))
        TRY(finish(w, d, err));
    return NRW_OK;
}

nrw_status pq_queue_work(pq_writer *w, bool *any, nrw_error *err)
{
    pq_pending *d = take(w, 0);
    *any = d != NULL;
    return d ? finish(w, d, err) : pq_group_leave(w, any, err);
}

bool pq_queue_any(pq_writer *w)
{
    return w->queue.first || pq_group_ready(w);
}

nrw_status pq_queue_wait(pq_writer *w, nrw_error *err)
{
    nrw_status st;
    if (pq_queue_any(w)) {
        bool any;
        pthread_mutex_unlock(&w->lock);
        st = pq_queue_work(w, &any, err);
        pthread_mutex_lock(&w->lock);
        return st;
    }
    w->queue.sleepers++;
    st = pq_writer_wait(w);
    w->queue.sleepers--;
    return st;
}

nrw_status pq_queue_turn(pq_writer *w, turn *t, uint64_t n, nrw_error *err)
{
    bool any = true;
    while (any && !turn_ready(t, n))
        TRY(pq_queue_work(w, &any, err));
    return turn_wait(t, n);
}

void pq_queue_release(pq_writer *w)
{
    while (w->queue.first) {
        pq_pending *d = w->queue.first;
        w->queue.first = d->next;
        free_pending(w, d);
    }
    w->queue = (pq_queue){0};
}
