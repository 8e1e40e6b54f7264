#include "io/spill_chain.h"

#include <stddef.h>
#include <string.h>

/* What of a chain with so many blocks at hand is a link in the spill file. */
static size_t link_bytes(uint32_t n)
{
    return offsetof(spill_chain, blocks) + n * sizeof(spill_block);
}

/* The blocks at hand become a link. */
static nrw_status put_link(spill_chain *c, spill *s, nrw_error *err)
{
    spill_block b;

    TRY(spill_write(s, (span){(const uint8_t *)c, link_bytes(c->n)}, false, &b, err));
    *c = (spill_chain){.before = b};
    return NRW_OK;
}

nrw_status spill_chain_add(spill_chain *c, spill *s, const spill_block *b, nrw_error *err)
{
    if (c->n == SPILL_LINK)
        TRY(put_link(c, s, err));
    c->blocks[c->n++] = *b;
    return NRW_OK;
}

nrw_status spill_chain_write(spill_chain *c, spill *s, span data, bool compress, nrw_error *err)
{
    spill_block b;
    nrw_status st;

    TRY(spill_write(s, data, compress, &b, err));
    st = spill_chain_add(c, s, &b, err);
    if (st < 0)
        spill_free(s, &b);
    return st;
}

/* The link before those at hand, which are taken; it is freed, or kept. */
static nrw_status take_link(spill_chain *c, spill *s, bool keep, nrw_error *err)
{
    spill_chain link = {0};

    if (!c->before.len)
        return NRW_END;
    TRY(spill_read(s, &c->before, &link, err));
    link.n = (uint32_t)((c->before.len - link_bytes(0)) / sizeof *link.blocks);
    if (!keep)
        spill_free(s, &c->before);
    *c = link;
    return NRW_OK;
}

static nrw_status take(spill_chain *c, spill *s, bool keep, spill_block *out, nrw_error *err)
{
    nrw_status st = c->n ? NRW_OK : take_link(c, s, keep, err);

    if (st == NRW_OK)
        *out = c->blocks[--c->n];
    return st;
}

nrw_status spill_chain_take(spill_chain *c, spill *s, spill_block *out, nrw_error *err)
{
    return take(c, s, false, out, err);
}

nrw_status spill_chain_see(spill_chain *copy, spill *s, spill_block *out, nrw_error *err)
{
    return take(copy, s, true, out, err);
}

nrw_status spill_chain_turn(spill_chain *c, spill *s, nrw_error *err)
{
    spill_chain turned = {0};
    spill_block b;
    nrw_status st;

    while ((st = spill_chain_take(c, s, &b, err)) == NRW_OK) {
        st = spill_chain_add(&turned, s, &b, err);
        if (st < 0) {
            spill_free(s, &b);
            break;
        }
    }
    if (st < 0)
        spill_chain_free(&turned, s);
    else
        *c = turned;
    return st < 0 ? st : NRW_OK;
}

nrw_status spill_chain_fold(spill_chain *c, spill *s, spill_block *out, nrw_error *err)
{
    if (c->n)
        TRY(put_link(c, s, err));
    *out = c->before;
    *c = (spill_chain){0};
    return NRW_OK;
}

void spill_chain_free(spill_chain *c, spill *s)
{
    spill_block b;

    while (spill_chain_take(c, s, &b, NULL) == NRW_OK)
        spill_free(s, &b);
    *c = (spill_chain){0};
}
