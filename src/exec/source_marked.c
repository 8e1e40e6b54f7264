#include "exec/source_marked.h"

static source_marked *of(source *s)
{
    return (source_marked *)s;
}

static bool behind_mark(const source_marked *s, const batch *b)
{
    return s->at < s->marks->n && b->first_row >= s->marks->at[s->at].row;
}

/* What `next` of a lazy source fills in. */
static void hand_over(const batch *from, batch *to)
{
    to->morsel = from->morsel;
    to->rows = from->rows;
    to->first_row = from->first_row;
    to->source = from->source;
    to->source_self = from->source_self;
    to->source_state = from->source_state;
}

static nrw_status marked_next(source *base, batch *b, nrw_error *err)
{
    source_marked *s = of(base);

    if (s->ended || (s->waiting && behind_mark(s, &s->next)))
        return NRW_END;
    if (s->waiting) {
        hand_over(&s->next, b);
        s->waiting = false;
        return NRW_OK;
    }
    nrw_status st = s->inner->class->next(s->inner, b, err);
    s->ended = st == NRW_END;
    if (st == NRW_OK && behind_mark(s, b)) {
        hand_over(b, &s->next);
        s->waiting = true;
        st = NRW_END;
    }
    return st;
}

static void marked_done(source *base, const batch *b)
{
    of(base)->inner->class->done(of(base)->inner, b);
}

static void marked_stop(source *base)
{
    of(base)->inner->class->stop(of(base)->inner);
}

static uint64_t marked_bytes(source *base)
{
    return of(base)->inner->class->bytes_read(of(base)->inner);
}

static const source_class marked_class = {"marked scan", marked_next, NULL,        marked_done,
                                          marked_stop,   NULL,        marked_bytes};

void source_marked_init(source_marked *s, source *inner, const key_marks *marks)
{
    *s = (source_marked){
        .base = {&marked_class, inner->n_cols, true}, .inner = inner, .marks = marks};
}

const key_mark *source_marked_pass(source_marked *s, bool *more)
{
    const key_mark *mark = s->at < s->marks->n ? &s->marks->at[s->at++] : NULL;

    *more = s->waiting && !behind_mark(s, &s->next);
    return mark;
}

void source_marked_close(source_marked *s, mem *m)
{
    batch b = {.m = m, .last = true, .n_cols = s->base.n_cols};
    const column_source *from;

    if (!s->waiting)
        return;
    hand_over(&s->next, &b);
    from = b.source;
    for (uint32_t c = 0; c < b.n_cols; c++) /* nobody has read any */
        from->done(b.source_self, &b, c);
    marked_done(&s->base, &b);
    s->waiting = false;
}
