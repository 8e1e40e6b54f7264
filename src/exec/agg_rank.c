/* Values of a word at most are selected as words that order as they do: of few by dividing them
 * (Hoare 1961) where they lie, of many by counting what their upper bits are until few are left, so
 * that no copy of all of them is made. Others are compared by type: few are copied, many are looked
 * for as agg_rank_any.c does. */
#include "exec/agg_rank.h"

#include "base/hash.h"
#include "column/compare.h"
#include "exec/agg_extreme.h"

#include <math.h>

#define FEW        RANK_FEW /* values that are divided */
#define BLOCK      512u     /* values on their way */
#define DIGIT_BITS 11u
#define DIGITS     (1u << DIGIT_BITS)
#define SORTED     16u /* so few are put in order by insertion */

typedef __int128 i128;

/* ---- values on their way ---- */

i128 rank_whole(const uint8_t *p, uint32_t width)
{
    int32_t narrow;
    int64_t x;
    i128 wide;

    if (width <= 2)
        return width == 1 ? (int8_t)p[0] : (int16_t)(p[0] | p[1] << 8);
    if (width == 4) {
        memcpy(&narrow, p, 4);
        return narrow;
    }
    if (width == 8) {
        memcpy(&x, p, 8);
        return x;
    }
    memcpy(&wide, p, 16);
    return wide;
}

void rank_distance(const type *t, const uint8_t *p, const uint8_t *centre, uint8_t *out)
{
    if (t->id == TYPE_FLOAT64) {
        double x, y;
        memcpy(&x, p, 8);
        memcpy(&y, centre, 8);
        x = fabs(x - y);
        memcpy(out, &x, 8);
    } else if (t->id == TYPE_FLOAT32) {
        float x, y;
        memcpy(&x, p, 4);
        memcpy(&y, centre, 4);
        x = fabsf(x - y);
        memcpy(out, &x, 4);
    } else {
        i128 x = rank_whole(p, t->width) - rank_whole(centre, t->width);
        x = x < 0 ? -x : x;
        memcpy(out, &x, t->width);
    }
}

nrw_status rank_walk_next(const rank_values *v, rank_walk *w, nrw_error *err)
{
    span piece;

    w->at = w->end = NULL;
    do {
        if (v->saved) {
            nrw_status st = v->saved->next(v->saved, &piece, err);
            if (st != NRW_OK)
                return st;
            w->at = piece.len ? piece.data + sizeof v->n : piece.data; /* their number */
            w->end = piece.data + piece.len;
        } else {
            w->chunk = w->begun ? w->chunk->next : v->s->first;
            w->begun = w->chunk != NULL;
            if (!w->chunk)
                return NRW_END;
            w->at = w->chunk->data;
            w->end = w->at + gather_len(v->s, w->chunk);
        }
    } while (w->at == w->end);
    return NRW_OK;
}

nrw_status rank_values_saved(agg_saved *saved, rank_values *out, nrw_error *err)
{
    span piece;
    nrw_status st;

    *out = (rank_values){.saved = saved};
    while ((st = saved->next(saved, &piece, err)) == NRW_OK)
        out->n += piece.len ? load_u64(piece.data) : 0;
    return st < 0 ? st : NRW_OK;
}

/* Some values that lie behind each other, as words; *n 0: there are no more. */
static nrw_status next_words(const ranking *r, rank_walk *w, uint64_t *words, uint32_t *n,
                             nrw_error *err)
{
    uint8_t far[BLOCK * sizeof(uint64_t)];
    const uint32_t width = r->t->width;
    size_t left;

    *n = 0;
    if (w->at == w->end) {
        nrw_status st = rank_walk_next(&r->from, w, err);
        if (st != NRW_OK)
            return st < 0 ? st : NRW_OK;
    }
    left = (size_t)(w->end - w->at) / width;
    *n = left < BLOCK ? (uint32_t)left : BLOCK;
    for (uint32_t i = 0; r->centre && i < *n; i++)
        rank_distance(r->t, w->at + (size_t)i * width, r->centre, far + (size_t)i * width);
    words_of(r->t, r->centre ? far : w->at, *n, words);
    w->at += (size_t)*n * width;
    return NRW_OK;
}

/* ---- words ---- */

static uint64_t *words_in(const ranking *r)
{
    return (uint64_t *)(void *)r->room;
}

/* Those below `pivot` come first; returns how far they reach. No branch to be guessed wrong. */
static uint64_t divide(uint64_t *words, uint64_t from, uint64_t to, uint64_t pivot)
{
    uint64_t less = from;

    for (uint64_t i = from; i < to; i++) {
        uint64_t x = words[i];
        words[i] = words[less];
        words[less] = x;
        less += x < pivot;
    }
    return less;
}

static uint64_t middle_of(uint64_t x, uint64_t y, uint64_t z)
{
    uint64_t low = x < y ? x : y, high = x < y ? y : x;

    return z < low ? low : z > high ? high : z;
}

static uint64_t pivot_of(const uint64_t *words, uint64_t from, uint64_t to)
{
    uint64_t n = to - from, h = hash_u64(to ^ from), third = n / 3;
    const uint64_t *x = words + from;

    return middle_of(x[h % third], x[third + (h >> 20) % third], x[2 * third + (h >> 40) % third]);
}

static void sort_words(uint64_t *words, uint64_t from, uint64_t to)
{
    for (uint64_t i = from + 1; i < to; i++) {
        uint64_t x = words[i], k = i;
        for (; k > from && words[k - 1] > x; k--)
            words[k] = words[k - 1];
        words[k] = x;
    }
}

static void select_word(uint64_t *words, uint64_t from, uint64_t to, uint64_t k)
{
    while (to - from > SORTED) {
        uint64_t pivot = pivot_of(words, from, to), less = divide(words, from, to, pivot);
        if (k < less) {
            to = less;
        } else if (less > from) {
            from = less;
        } else { /* the pivot is the least: those equal to it go first */
            uint64_t same = pivot == UINT64_MAX ? to : divide(words, from, to, pivot + 1);
            if (k < same)
                return;
            from = same;
        }
    }
    sort_words(words, from, to);
}

/* The next one behind those that are in order: the least. */
static void select_next(uint64_t *words, uint64_t from, uint64_t to)
{
    uint64_t best = from, x;

    for (uint64_t i = from + 1; i < to; i++)
        best = words[i] < words[best] ? i : best;
    x = words[best];
    words[best] = words[from];
    words[from] = x;
}

static uint64_t few_at(ranking *r, uint64_t k)
{
    uint64_t *words = words_in(r);

    if (r->low < r->high && k == r->high)
        select_next(words, k, r->n);
    else if (k >= r->high)
        select_word(words, r->high, r->n, k);
    else if (k < r->low)
        select_word(words, 0, r->low, k);
    r->low = k;
    r->high = k + 1;
    return words[k];
}

/* Counts of the digit below the upper `bits` of words that have these in common with `prefix`. */
static nrw_status count_digits(const ranking *r, uint64_t prefix, uint32_t bits, uint64_t *counts,
                               nrw_error *err)
{
    rank_walk w = {0};
    uint64_t words[BLOCK];
    uint32_t n;

    memset(counts, 0, DIGITS * sizeof *counts);
    for (;;) {
        TRY(next_words(r, &w, words, &n, err));
        if (n == 0)
            return NRW_OK;
        for (uint32_t i = 0; i < n; i++) {
            uint64_t rest = bits ? words[i] << bits : words[i];
            if (bits == 0 || (words[i] ^ prefix) >> (64 - bits) == 0)
                counts[rest >> (64 - DIGIT_BITS)]++;
        }
    }
}

/* Those that have the upper `bits` in common with `prefix` come into the room. */
static nrw_status collect(ranking *r, uint64_t prefix, uint32_t bits, nrw_error *err)
{
    rank_walk w = {0};
    uint64_t words[BLOCK], *out = words_in(r);
    uint32_t n;

    for (r->n = 0;;) {
        TRY(next_words(r, &w, words, &n, err));
        if (n == 0)
            return NRW_OK;
        for (uint32_t i = 0; i < n; i++)
            if ((words[i] ^ prefix) >> (64 - bits) == 0)
                out[r->n++] = words[i];
    }
}

/* Of values that are not all in the room: those around k come there. */
static nrw_status many_at(ranking *r, uint64_t k, uint64_t *word, nrw_error *err)
{
    uint64_t *words = words_in(r), *counts = words + FEW, prefix = 0, first = 0, n = r->from.n;
    uint32_t bits = 0;

    if (k < r->first || k - r->first >= r->n) {
        r->n = 0;
        while (n > FEW && bits < 64) {
            uint32_t digit = 0;
            TRY(count_digits(r, prefix, bits, counts, err));
            while (k - first >= counts[digit])
                first += counts[digit++];
            n = counts[digit];
            prefix |= (uint64_t)digit << (64 - DIGIT_BITS) >> bits;
            bits = bits + DIGIT_BITS < 64 ? bits + DIGIT_BITS : 64;
        }
        if (n > FEW) { /* all bits are known */
            *word = prefix;
            return NRW_OK;
        }
        r->first = first;
        TRY(collect(r, prefix, bits, err));
    }
    select_word(words, 0, r->n, k - r->first);
    *word = words[k - r->first];
    return NRW_OK;
}

/* ---- wide types ---- */

static void swap(uint8_t *x, uint8_t *y, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++) {
        uint8_t keep = x[i];
        x[i] = y[i];
        y[i] = keep;
    }
}

static int compare_wide(const type *t, const uint8_t *x, const uint8_t *y)
{
    int c = value_compare(t, (span){x, t->width}, (span){y, t->width});

    return c ? c : memcmp(x, y, t->width);
}

/* Moves values so that the one at k is what sorting would put there. */
static const uint8_t *wide_at(ranking *r, uint64_t k)
{
    uint32_t w = r->t->width;
    uint64_t from = 0, to = r->n;
    uint8_t *data = r->room, *pivot = data + r->n * w;

    while (to - from > 1) {
        uint64_t less = from, same = from, i = to;
        memcpy(pivot, data + (from + hash_u64(to ^ from) % (to - from)) * w, w);
        while (same < i) { /* [from, less) < pivot, [less, same) equal, [i, to) greater */
            uint8_t *x = data + same * w;
            int c = compare_wide(r->t, x, pivot);
            if (c < 0)
                swap(x, data + less++ * w, w);
            if (c <= 0)
                same++;
            else
                swap(x, data + --i * w, w);
        }
        if (k < less)
            to = less;
        else if (k >= same)
            from = same;
        else
            break;
    }
    return data + k * w;
}

static nrw_status copy_wide(ranking *r, nrw_error *err)
{
    const uint32_t width = r->t->width;
    rank_walk w = {0};
    nrw_status st;

    while ((st = rank_walk_next(&r->from, &w, err)) == NRW_OK) {
        memcpy(r->room + r->n * width, w.at, (size_t)(w.end - w.at));
        r->n += (uint64_t)(w.end - w.at) / width;
    }
    for (uint64_t i = 0; r->centre && i < r->n; i++)
        rank_distance(r->t, r->room + i * width, r->centre, r->room + i * width);
    return st < 0 ? st : NRW_OK;
}

/* ---- the face ---- */

static nrw_status make_room(ranking *r, size_t bytes, nrw_error *err)
{
    void *p;

    if (bytes <= r->cap)
        return NRW_OK;
    rank_end(r);
    TRY(mem_alloc(r->m, bytes, &p, err));
    r->room = p;
    r->cap = bytes;
    return NRW_OK;
}

nrw_status rank_begin(ranking *r, const rank_values *values, const uint8_t *centre, nrw_error *err)
{
    rank_walk w = {0};
    uint64_t *words;
    uint32_t n;

    r->from = *values;
    r->centre = centre;
    r->n = r->first = r->low = r->high = 0;
    if (!word_fits(r->t)) {
        if (values->n > FEW)
            return NRW_OK;
        TRY(make_room(r, (values->n + 1) * r->t->width, err));
        return copy_wide(r, err);
    }
    if (values->n > FEW)
        return make_room(r, (FEW + DIGITS) * sizeof *words, err);
    TRY(make_room(r, values->n * sizeof *words, err));
    words = words_in(r);
    do {
        TRY(next_words(r, &w, words + r->n, &n, err));
        r->n += n;
    } while (n);
    return NRW_OK;
}

static nrw_status wide_value(ranking *r, uint64_t k, uint8_t *out, nrw_error *err)
{
    bytes value = bytes_init(r->m, UINT32_MAX);
    nrw_status st;

    if (r->from.n <= FEW) {
        memcpy(out, wide_at(r, k), r->t->width);
        return NRW_OK;
    }
    st = rank_any(r, k, &value, err);
    if (st >= 0)
        memcpy(out, value.data, value.len);
    bytes_release(&value);
    return st;
}

nrw_status rank_value(ranking *r, uint64_t k, uint8_t *out, nrw_error *err)
{
    uint64_t word;

    if (!word_fits(r->t))
        return wide_value(r, k, out, err);
    if (r->from.n > FEW)
        TRY(many_at(r, k, &word, err));
    else
        word = few_at(r, k);
    word_put(r->t, word, true, out);
    return NRW_OK;
}

void rank_end(ranking *r)
{
    mem_free(r->m, r->room, r->cap);
    r->room = NULL;
    r->cap = 0;
}
