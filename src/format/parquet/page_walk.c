/* The walk reads little at a time: headers are short, bodies are skipped. */
#include "format/parquet/page_walk.h"

enum { FIRST_WINDOW = 512 };

nrw_status pq_page_walk_open(mem *m, io_file *f, const pq_chunk *c, pq_page_walk *out,
                             nrw_error *err)
{
    void *window;
    *out = (pq_page_walk){0};
    TRY(mem_alloc(m, FIRST_WINDOW, &window, err));
    *out = (pq_page_walk){.f = f,
                          .m = m,
                          .at = c->start,
                          .end = c->end,
                          .said =
                              c->compressed < c->end - c->start ? c->start + c->compressed : c->end,
                          .want = c->n_values,
                          .window = window,
                          .cap = FIRST_WINDOW};
    return NRW_OK;
}

void pq_page_walk_close(pq_page_walk *w)
{
    if (w->window)
        mem_free(w->m, w->window, w->cap);
    *w = (pq_page_walk){0};
}

static nrw_status read_header(pq_page_walk *w, pq_page *out, nrw_error *err)
{
    for (;;) {
        size_t len = w->cap;
        if ((uint64_t)len > (uint64_t)(w->end - w->at))
            len = (size_t)(w->end - w->at);
        TRY(file_read(w->f, (uint64_t)w->at, w->window, len, err));
        nrw_status st = pq_page_parse((span){w->window, len}, out, err);
        if (st != NRW_END)
            return st;
        if (len < w->cap)
            return err_set(err, NRW_E_CORRUPT, "the page header is cut short by the chunk's end");
        void *window = w->window;
        TRY(mem_realloc(w->m, &window, w->cap, w->cap * 4, err));
        w->window = window;
        w->cap *= 4;
    }
}

static nrw_status read_page(pq_page_walk *w, pq_page_at *out, nrw_error *err)
{
    TRY(read_header(w, &out->page, err));
    const pq_page *p = &out->page;
    bool data = p->type == PQ_DATA_PAGE || p->type == PQ_DATA_PAGE_V2;
    out->offset = w->at;
    out->body = w->at + p->header_len;
    out->ordinal = data ? w->data_pages : -1;
    out->first = w->values;
    if (p->compressed > w->end - out->body)
        return err_set(err, NRW_E_CORRUPT,
                       "the page has %d bytes, %lld are left of the column chunk", p->compressed,
                       (long long)(w->end - out->body));
    w->at = out->body + p->compressed;
    if (data) {
        w->data_pages++;
        w->values += p->n_values;
    }
    return NRW_OK;
}

static nrw_status next(pq_page_walk *w, pq_page_at *out, nrw_error *err)
{
    if (w->values < w->want) {
        if (w->at < w->end)
            return read_page(w, out, err);
        return err_set(err, NRW_E_CORRUPT, "the pages end after %lld of %lld values",
                       (long long)w->values, (long long)w->want);
    }
    /* Behind the last value there may be empty pages, and bytes of no meaning. */
    return w->at < w->said && read_page(w, out, NULL) >= 0 ? NRW_OK : NRW_END;
}

nrw_status pq_page_walk_next(pq_page_walk *w, pq_page_at *out, nrw_error *err)
{
    int64_t at = w->at;
    *out = (pq_page_at){0};
    nrw_status st = next(w, out, err);
    if (st < 0) {
        err_at_object(err, w->f->name);
        err_at_page(err, w->data_pages);
        err_at_offset(err, at);
        *out = (pq_page_at){0};
    }
    return st;
}
