#include "codec/lz4_block.h"

enum { MIN_MATCH = 4, LONG = 15 };
/* End of block: a match starts at least 12 bytes before the end of the output, and its last 5 bytes
 * are literals; so behind literals that are not the last there are 2 of an offset, a token and 5.
 */
enum { MATCH_LIMIT = 12, LAST_LITERALS = 5, BEHIND_LITERALS = 8, BEHIND_LENGTH = 4 };

/* -- Whole blocks ---------------------------------------------------------------------------- */

static void copy_16(uint8_t *to, const uint8_t *from)
{
    memcpy(to, from, 16);
}

/* n bytes from `offset` back; `room` bytes from `to` on may be written. */
static void copy_match(uint8_t *to, size_t offset, size_t n, size_t room)
{
    const uint8_t *from = to - offset;
    if (room >= n + 16) {
        copy_back(to, offset, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

/* A length of 15 goes on in bytes up to the first that is not 255. */
static bool long_length(const uint8_t **ip, const uint8_t *end, size_t *len)
{
    uint8_t b;
    do {
        if (*ip == end)
            return false;
        b = *(*ip)++;
        *len += b;
    } while (b == 255);
    return true;
}

nrw_status lz4_block_decode(span src, uint8_t *dst, size_t cap, size_t *n, nrw_error *err)
{
    uint8_t nothing;
    *n = 0;
    if (src.len == 0)
        return codec_damaged("lz4", err);
    dst = dst ? dst : &nothing; /* of no capacity */
    const uint8_t *ip = src.data, *in_end = ip + src.len;
    uint8_t *op = dst, *out_end = dst + cap;
    while (ip < in_end) {
        uint8_t token = *ip++;
        size_t len = token >> 4;
        if (len == LONG && !long_length(&ip, in_end, &len))
            break;
        size_t in_left = (size_t)(in_end - ip), out_left = (size_t)(out_end - op);
        if (len + MATCH_LIMIT > out_left || len + BEHIND_LITERALS > in_left) {
            if (len != in_left || len > out_left)
                break;
            if (len > 0)
                memcpy(op, ip, len);
            *n = (size_t)(op - dst) + len;
            return NRW_OK;
        }
        if (len <= 32 && in_left >= 32 && out_left >= 32) {
            copy_16(op, ip);
            copy_16(op + 16, ip + 16);
        } else {
            memcpy(op, ip, len);
        }
        op += len;
        ip += len;
        size_t offset = (size_t)ip[0] | (size_t)ip[1] << 8;
        ip += 2;
        len = token & 15;
        if (len == LONG && (!long_length(&ip, in_end, &len) || in_end - ip < BEHIND_LENGTH))
            break;
        len += MIN_MATCH;
        out_left = (size_t)(out_end - op);
        if (offset == 0 || offset > (size_t)(op - dst) || len + LAST_LITERALS > out_left)
            break;
        if (offset >= 16 && len <= 16 && out_left >= 16)
            copy_16(op, op - offset);
        else
            copy_match(op, offset, len, out_left);
        op += len;
    }
    return codec_damaged("lz4", err);
}

/* -- In cuts --------------------------------------------------------------------------------- */

enum { TOKEN, LITERAL_LENGTH, LITERAL, OFFSET, MATCH_LENGTH, MATCH };

void lz4_block_begin(lz4_block *b, uint64_t in_len, uint64_t out_cap)
{
    *b = (lz4_block){.in_left = in_len, .out_left = out_cap};
}

static nrw_status begin_literals(lz4_block *b, nrw_error *err)
{
    b->part = LITERAL;
    b->last = b->left + MATCH_LIMIT > b->out_left || b->left + BEHIND_LITERALS > b->in_left;
    if (b->last && (b->left != b->in_left || b->left > b->out_left))
        return codec_damaged("lz4", err);
    b->out_left -= b->left;
    b->produced += b->left;
    return NRW_OK;
}

static nrw_status begin_match(lz4_block *b, nrw_error *err)
{
    b->part = MATCH;
    b->left += MIN_MATCH;
    if (b->offset == 0 || b->offset > b->produced || b->left + LAST_LITERALS > b->out_left)
        return codec_damaged("lz4", err);
    b->out_left -= b->left;
    b->produced += b->left;
    return NRW_OK;
}

/* One byte of a token, a length or an offset. */
static nrw_status head_byte(lz4_block *b, uint8_t byte, nrw_error *err)
{
    switch (b->part) {
    case TOKEN:
        b->token = byte;
        b->left = byte >> 4;
        b->part = LITERAL_LENGTH;
        return b->left == LONG ? NRW_OK : begin_literals(b, err);
    case LITERAL_LENGTH: b->left += byte; return byte == 255 ? NRW_OK : begin_literals(b, err);
    case OFFSET:
        b->offset = b->half ? b->offset | (uint32_t)byte << 8 : byte;
        b->half = !b->half;
        if (b->half)
            return NRW_OK;
        b->left = b->token & 15;
        b->part = MATCH_LENGTH;
        return b->left == LONG ? NRW_OK : begin_match(b, err);
    default: /* MATCH_LENGTH */
        b->left += byte;
        if (b->in_left < BEHIND_LENGTH)
            return codec_damaged("lz4", err);
        return byte == 255 ? NRW_OK : begin_match(b, err);
    }
}

/* Literals and matches that are over. */
static void end_part(lz4_block *b)
{
    if (b->left > 0)
        return;
    if (b->part == MATCH) {
        b->part = TOKEN;
    } else if (b->part == LITERAL) {
        b->part = OFFSET;
        b->done = b->last;
    }
}

/* Short sequences (up to 14 literals, matches up to 18 bytes) that begin this far from the ends
 * need no other check than that of the offset. */
enum { FAST_IN = 32, FAST_OUT = 64 };

static nrw_status fill_fast(lz4_block *b, window *w, span *src, nrw_error *err)
{
    const uint8_t *ip = src->data;
    uint64_t in_left = src->len < b->in_left ? src->len : b->in_left, out_left = window_room(w);
    if (out_left > b->out_left)
        out_left = b->out_left;
    uint8_t *start = w->buf + w->pos, *op = start;
    nrw_status st = NRW_OK;
    while (in_left >= FAST_IN && out_left >= FAST_OUT) {
        size_t literals = *ip >> 4, match = (*ip & 15) + MIN_MATCH;
        if (literals == LONG || match == LONG + MIN_MATCH)
            break;
        size_t offset = (size_t)ip[1 + literals] | (size_t)ip[2 + literals] << 8;
        if (offset == 0 || offset > b->produced + (uint64_t)(op - start) + literals) {
            st = codec_damaged("lz4", err);
            break;
        }
        memcpy(op, ip + 1, 16);
        copy_back(op + literals, offset, match);
        ip += literals + 3;
        op += literals + match;
        in_left -= literals + 3;
        out_left -= literals + match;
    }
    size_t in = (size_t)(ip - src->data), out = (size_t)(op - start);
    span_skip(src, in);
    b->in_left -= in;
    b->out_left -= out;
    b->produced += out;
    w->pos += out;
    return st;
}

nrw_status lz4_block_fill(lz4_block *b, window *w, span *src, nrw_error *err)
{
    while (!b->done && window_room(w) > 0) {
        if (b->part == TOKEN)
            TRY(fill_fast(b, w, src, err));
        span in = {src->data, src->len < b->in_left ? src->len : (size_t)b->in_left};
        size_t before = in.len;
        if (b->part == MATCH) {
            window_copy(w, b->offset, &b->left);
        } else if (b->part == LITERAL) {
            if (in.len == 0 && b->left > 0)
                return NRW_OK;
            window_literal(w, &in, &b->left);
        } else {
            if (b->in_left == 0)
                return codec_damaged("lz4", err);
            if (in.len == 0)
                return NRW_OK;
            uint8_t byte = *in.data++;
            in.len--;
            b->in_left--;
            before--;
            src->data++;
            src->len--;
            TRY(head_byte(b, byte, err));
        }
        size_t used = before - in.len;
        b->in_left -= used;
        span_skip(src, used);
        if (b->part == LITERAL || b->part == MATCH)
            end_part(b);
    }
    return NRW_OK;
}
