/* Sets that memory has no room for: what was saved of one goes to parts of the spill file by the
 * hashes of its keys, and from there by further bits of them, until a part fits. */
#include "base/hash.h"
#include "exec/agg_set.h"
#include "io/spill_chain.h"

/* So many parts that they fit but for sets some hundred times as large as memory: each time that
 * entries are dealt out they are written again. */
#define BITS        8u
#define PARTS       (1u << BITS)
#define BLOCK       (64u << 10)
#define BLOCK_LEAST (1u << 10)

typedef struct deal_part {
    spill_chain blocks;
    uint64_t n, bytes; /* entries, and what they take in memory */
} deal_part;

/* What goes to a part next. */
typedef struct deal_block {
    bytes packed;
    agg_set_pace pace;
} deal_block;

typedef struct dealing {
    const agg_set_kind *k;
    agg_saved *saved;
    nrw_status (*part)(void *self, const agg_set *s, nrw_error *err);
    void *self;
    bytes read; /* a block of a part that is dealt out or loaded */
    agg_set_reader entries;
} dealing;

static bool fits(const dealing *d, const deal_part *p)
{
    return p->n == 0 || agg_set_room(p->n, p->bytes) <= d->saved->memory / 4;
}

static size_t block_bytes(const dealing *d)
{
    uint64_t bytes = d->saved->memory / 4 / PARTS;

    return bytes < BLOCK_LEAST ? BLOCK_LEAST : bytes < BLOCK ? (size_t)bytes : BLOCK;
}

static nrw_status end_block(const dealing *d, deal_block *out, deal_part *p, nrw_error *err)
{
    if (out->packed.len == 0)
        return NRW_OK;
    TRY(spill_chain_write(&p->blocks, d->saved->spill, (span){out->packed.data, out->packed.len},
                          true, err));
    out->packed.len = 0;
    out->pace = (agg_set_pace){0};
    if (out->packed.cap > block_bytes(d)) /* of a key longer than blocks are */
        bytes_release(&out->packed);
    return NRW_OK;
}

/* The next block of a part, which is gone then. NRW_END: there is none. */
static nrw_status next_block(dealing *d, deal_part *p, span *out, nrw_error *err)
{
    spill_block b;
    nrw_status st = spill_chain_take(&p->blocks, d->saved->spill, &b, err);

    if (st != NRW_OK)
        return st;
    d->read.len = 0;
    st = bytes_reserve(&d->read, b.len, err);
    if (st >= 0)
        st = spill_read(d->saved->spill, &b, d->read.data, err);
    spill_free(d->saved->spill, &b);
    *out = (span){d->read.data, (size_t)b.len};
    return st;
}

static nrw_status deal_piece(dealing *d, span piece, uint32_t shift, deal_block *outs,
                             deal_part *parts, nrw_error *err)
{
    const size_t block = block_bytes(d);
    agg_entry e;
    nrw_status st;

    agg_set_reader_begin(&d->entries, piece);
    while ((st = agg_set_reader_next(&d->entries, &e, err)) == NRW_OK) {
        uint32_t p = (uint32_t)(hash_bytes(e.key.data, e.key.len) >> shift) & (PARTS - 1);
        bytes *packed = &outs[p].packed;
        if (packed->len + agg_set_packed_most(d->k, &e) > block)
            TRY(end_block(d, &outs[p], &parts[p], err));
        if (packed->cap < block)
            TRY(bytes_reserve(packed, block, err));
        TRY(agg_set_pack(d->k, &e, &outs[p].pace, packed, err));
        parts[p].n++;
        parts[p].bytes += agg_entry_bytes(d->k, (uint32_t)e.key.len);
        if (packed->len >= block)
            TRY(end_block(d, &outs[p], &parts[p], err));
    }
    return st < 0 ? st : NRW_OK;
}

/* All pieces of `from`, NULL: of what was saved, to the parts. */
static nrw_status deal_all(dealing *d, deal_part *from, uint32_t shift, deal_block *outs,
                           deal_part *parts, nrw_error *err)
{
    span piece;
    nrw_status st;

    for (;;) {
        st = from ? next_block(d, from, &piece, err) : d->saved->next(d->saved, &piece, err);
        if (st != NRW_OK)
            break;
        TRY(deal_piece(d, piece, shift, outs, parts, err));
    }
    for (uint32_t p = 0; st >= 0 && p < PARTS; p++)
        st = end_block(d, &outs[p], &parts[p], err);
    return st < 0 ? st : NRW_OK;
}

static nrw_status deal_out(dealing *d, deal_part *from, uint32_t shift, deal_part *parts,
                           nrw_error *err)
{
    mem *m = d->saved->m;
    deal_block *outs;
    nrw_status st;

    TRY(mem_alloc(m, PARTS * sizeof *outs, (void **)&outs, err));
    for (uint32_t p = 0; p < PARTS; p++)
        outs[p] = (deal_block){.packed = bytes_init(m, UINT32_MAX)};
    st = deal_all(d, from, shift, outs, parts, err);
    for (uint32_t p = 0; p < PARTS; p++)
        bytes_release(&outs[p].packed);
    mem_free(m, outs, PARTS * sizeof *outs);
    bytes_release(&d->read);
    return st;
}

/* What does not fit, as its hashes are all alike, has to grow. */
static nrw_status load(dealing *d, deal_part *p, nrw_error *err)
{
    agg_set *s = NULL;
    span piece;
    nrw_status st = NRW_OK;

    if (p->n > 0 && fits(d, p))
        st = agg_set_reserve(d->k, &s, (uint32_t)p->n, p->bytes, d->saved->m, err);
    while (st >= 0 && (st = next_block(d, p, &piece, err)) == NRW_OK) {
        st = agg_set_load(d->k, piece, &s, d->saved->m, err);
        if (st < 0)
            break;
    }
    if (st >= 0)
        st = d->part(d->self, s, err);
    agg_set_free(s);
    return st;
}

/* Keys by the bits of their hashes from `shift` on; each part is loaded, or dealt out in turn. */
static nrw_status deal(dealing *d, deal_part *from, uint32_t shift, nrw_error *err)
{
    mem *m = d->saved->m;
    deal_part *parts;
    nrw_status st;

    TRY(mem_zalloc(m, PARTS * sizeof *parts, (void **)&parts, err));
    st = deal_out(d, from, shift, parts, err);
    for (uint32_t p = 0; st >= 0 && p < PARTS; p++)
        if (fits(d, &parts[p]) || shift < BITS)
            st = load(d, &parts[p], err);
        else
            st = deal(d, &parts[p], shift - BITS, err);
    for (uint32_t p = 0; p < PARTS; p++)
        spill_chain_free(&parts[p].blocks, d->saved->spill);
    mem_free(m, parts, PARTS * sizeof *parts);
    return st;
}

nrw_status agg_set_deal(const agg_set_kind *k, agg_saved *saved,
                        nrw_status (*part)(void *self, const agg_set *s, nrw_error *err),
                        void *self, nrw_error *err)
{
    dealing d = {
        k, saved, part, self, bytes_init(saved->m, UINT32_MAX), agg_set_reader_of(k, saved->m)};
    nrw_status st = deal(&d, NULL, 64 - BITS, err);

    agg_set_reader_free(&d.entries);
    bytes_release(&d.read);
    return st;
}
