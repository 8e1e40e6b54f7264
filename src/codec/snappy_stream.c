#include "codec/snappy_stream.h"
#include "codec/window.h"

typedef enum part { PREAMBLE, TAG, EXTRA, LITERAL, COPY } part;

typedef struct snappy_stream {
    codec_flow flow;
    window w;
    part part;
    uint8_t tag;
    unsigned need, have; /* bytes behind the tag */
    uint64_t number;     /* preamble or the bytes behind the tag, as far as read */
    uint64_t left;       /* of the element in progress */
    size_t offset;       /* of the copy in progress */
    uint64_t produced;   /* all decoded bytes */
} snappy_stream;

nrw_status snappy_stream_begin(codec_ctx *c, uint64_t src_len, uint64_t dst_len, nrw_error *err)
{
    snappy_stream_free(c);
    TRY(codec_state(c, &c->stream, sizeof(snappy_stream), err));
    snappy_stream *s = c->stream;
    s->flow = (codec_flow){.src_len = src_len, .dst_len = dst_len};
    void *buf;
    nrw_status st = mem_alloc(c->m, WINDOW_BYTES, &buf, err);
    if (st < 0) {
        snappy_stream_free(c);
        return st;
    }
    s->w.buf = buf;
    c->charged += WINDOW_BYTES;
    return NRW_OK;
}

void snappy_stream_free(codec_ctx *c)
{
    snappy_stream *s = c->stream;
    if (!s)
        return;
    if (s->w.buf) {
        mem_free(c->m, s->w.buf, WINDOW_BYTES);
        c->charged -= WINDOW_BYTES;
    }
    codec_state_free(c, &c->stream, sizeof *s);
}

static uint8_t take(span *src)
{
    src->len--;
    return *src->data++;
}

/* "Preamble": the uncompressed length, a varint of at most 32 bits. */
static nrw_status preamble(snappy_stream *s, span *src, nrw_error *err)
{
    uint8_t b = take(src);
    s->number |= (uint64_t)(b & 0x7f) << (7 * s->have++);
    if (s->have == 5 && b > 15)
        return codec_damaged("snappy", err);
    if (b & 0x80)
        return NRW_OK;
    if (s->flow.dst_len == CODEC_SIZE_UNKNOWN)
        s->flow.dst_len = s->number;
    if (s->number != s->flow.dst_len)
        return codec_wrong_size("snappy", s->number, s->flow.dst_len, err);
    s->part = TAG;
    return NRW_OK;
}

/* The element's head is complete: what is to be produced now. */
static nrw_status element(snappy_stream *s, nrw_error *err)
{
    unsigned upper = s->tag >> 2;
    switch (s->tag & 3) {
    case 0:
        s->left = (s->need ? s->number : upper) + 1;
        s->part = LITERAL;
        break;
    case 1:
        s->left = 4 + (upper & 7);
        s->offset = (size_t)(upper >> 3) << 8 | (size_t)s->number;
        s->part = COPY;
        break;
    default:
        s->left = upper + 1;
        s->offset = (size_t)s->number;
        s->part = COPY;
    }
    if (s->left > s->flow.dst_len - s->produced)
        return codec_wrong_size("snappy", s->flow.dst_len + 1, s->flow.dst_len, err);
    if (s->part == COPY) {
        if (s->offset == 0 || s->offset > s->produced)
            return codec_damaged("snappy", err);
        if (s->offset > WINDOW_HISTORY)
            return err_set(err, NRW_E_UNSUPPORTED,
                           "a snappy copy reaches back %zu bytes, a stream keeps %zu", s->offset,
                           WINDOW_HISTORY);
    }
    s->produced += s->left;
    return NRW_OK;
}

static nrw_status tag(snappy_stream *s, span *src, nrw_error *err)
{
    static const uint8_t behind_copy[4] = {0, 1, 2, 4};
    s->tag = take(src);
    unsigned upper = s->tag >> 2;
    s->need = behind_copy[s->tag & 3];
    if ((s->tag & 3) == 0 && upper >= 60)
        s->need = upper - 59;
    s->have = 0;
    s->number = 0;
    s->part = EXTRA;
    return s->need ? NRW_OK : element(s, err);
}

static nrw_status extra(snappy_stream *s, span *src, nrw_error *err)
{
    s->number |= (uint64_t)take(src) << (8 * s->have++);
    return s->have == s->need ? element(s, err) : NRW_OK;
}

/* Literals up to 60 bytes and copies with offsets of one or two bytes, far from all ends, at one
 * go. What it does not take, or finds wrong, is left to the steps below. */
enum { FAST = 80 };

static void fill_fast(snappy_stream *s, span *src)
{
    const uint8_t *ip = src->data;
    size_t in_left = src->len;
    uint64_t out_left = s->flow.dst_len - s->produced;
    if (out_left > window_room(&s->w))
        out_left = window_room(&s->w);
    uint8_t *start = s->w.buf + s->w.pos, *op = start;
    while (in_left >= FAST && out_left >= FAST) {
        unsigned kind = *ip & 3, upper = *ip >> 2;
        size_t len = upper + 1, used = kind + 1, offset;
        if (kind == 0) {
            if (upper >= 60)
                break;
            memcpy(op, ip + 1, 64);
            used = 1 + len;
        } else {
            if (kind == 3)
                break;
            if (kind == 1) {
                len = 4 + (upper & 7);
                offset = (size_t)(upper >> 3) << 8 | ip[1];
            } else {
                offset = (size_t)ip[1] | (size_t)ip[2] << 8;
            }
            if (offset == 0 || offset > s->produced + (uint64_t)(op - start))
                break;
            copy_back(op, offset, len);
        }
        ip += used;
        in_left -= used;
        op += len;
        out_left -= len;
    }
    src->len = in_left;
    src->data = ip;
    s->produced += (uint64_t)(op - start);
    s->w.pos += (size_t)(op - start);
}

/* Decodes until the window is full or the input used up. */
static nrw_status fill(snappy_stream *s, span *src, nrw_error *err)
{
    while (window_room(&s->w) > 0) {
        if (s->part == TAG)
            fill_fast(s, src);
        if (s->part == COPY)
            window_copy(&s->w, s->offset, &s->left);
        else if (src->len == 0)
            return NRW_OK;
        else if (s->part == PREAMBLE)
            TRY(preamble(s, src, err));
        else if (s->part == TAG)
            TRY(tag(s, src, err));
        else if (s->part == EXTRA)
            TRY(extra(s, src, err));
        else
            window_literal(&s->w, src, &s->left);
        if ((s->part == COPY || s->part == LITERAL) && s->left == 0)
            s->part = TAG;
    }
    return NRW_OK;
}

static nrw_status pull(void *state, span *src, uint8_t *dst, size_t cap, size_t *n, nrw_error *err)
{
    snappy_stream *s = state;
    TRY(fill(s, src, err));
    *n = window_drain(&s->w, dst, cap);
    return NRW_OK;
}

nrw_status snappy_stream_step(codec_ctx *c, span *src, uint8_t *dst, size_t cap, size_t *n,
                              nrw_error *err)
{
    snappy_stream *s = c->stream;
    return codec_flow_step(&s->flow, "snappy", pull, s, src, dst, cap, n, err);
}

nrw_status snappy_stream_end(codec_ctx *c, nrw_error *err)
{
    snappy_stream *s = c->stream;
    nrw_status st = codec_flow_end(&s->flow, "snappy", s->part == TAG, err);
    snappy_stream_free(c);
    return st;
}
