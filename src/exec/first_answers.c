/* What parts say of their rows, one behind the other. */
#include "exec/first_late.h"

#define BLOCK       ((size_t)4 << 10)
#define BLOCK_LEAST ((size_t)128)

nrw_status first_answers_open(first_answers *a, uint64_t memory, mem *m, spill *s, nrw_error *err)
{
    const uint64_t block = memory / FIRST_PARTS;

    *a = (first_answers){.m = m, .spill = s};
    a->block = block < BLOCK_LEAST ? BLOCK_LEAST : block < BLOCK ? (size_t)block : BLOCK;
    return mem_zalloc(m, FIRST_PARTS * sizeof *a->parts, (void **)&a->parts, err);
}

void first_answers_release(first_answers *a)
{
    for (uint32_t p = 0; a->parts && p < FIRST_PARTS; p++) {
        spill_chain_free(&a->parts[p].blocks, a->spill);
        mem_free(a->m, a->parts[p].bits, a->parts[p].bits ? a->block : 0);
    }
    mem_free(a->m, a->parts, a->parts ? FIRST_PARTS * sizeof *a->parts : 0);
    a->parts = NULL;
}

/* ---- put ---- */

/* The bits of marks [from, from + n). */
static nrw_status make_bits(first_marks *marks, uint64_t from, uint64_t n, uint8_t *bits,
                            nrw_error *err)
{
    memset(bits, 0, (size_t)(n + 7) / 8);
    for (uint64_t i = 0; i < n; i++) {
        bool has;
        TRY(first_marks_has(marks, from + i, &has, err));
        if (has)
            bit_set(bits, i);
    }
    return NRW_OK;
}

nrw_status first_answers_put(first_answers *a, uint32_t part, first_marks *marks, uint64_t n,
                             nrw_error *err)
{
    first_answer *of = &a->parts[part];
    nrw_status st = NRW_OK;
    uint8_t *bits;

    TRY(mem_alloc(a->m, a->block, (void **)&bits, err));
    for (uint64_t at = 0, some; st >= 0 && at < n; at += some) {
        some = n - at < 8 * a->block ? n - at : 8 * a->block;
        st = make_bits(marks, at, some, bits, err);
        if (st >= 0)
            st = spill_chain_write(&of->blocks, a->spill, (span){bits, (size_t)(some + 7) / 8},
                                   true, err);
    }
    mem_free(a->m, bits, a->block);
    return st < 0 ? st : spill_chain_turn(&of->blocks, a->spill, err);
}

/* ---- next ---- */

static nrw_status open_block(first_answers *a, first_answer *of, nrw_error *err)
{
    spill_block b;
    nrw_status st;

    if (!of->bits)
        TRY(mem_alloc(a->m, a->block, (void **)&of->bits, err));
    st = spill_chain_take(&of->blocks, a->spill, &b, err);
    if (st == NRW_END)
        return err_set(err, NRW_E_IO, "a block of the spill file does not hold what was written");
    TRY(st);
    st = spill_read(a->spill, &b, of->bits, err);
    spill_free(a->spill, &b);
    of->n = 8 * (uint32_t)b.len;
    of->at = 0;
    return st;
}

nrw_status first_answers_next(first_answers *a, uint32_t part, bool *yes, nrw_error *err)
{
    first_answer *of = &a->parts[part];

    if (of->at == of->n)
        TRY(open_block(a, of, err));
    *yes = bit_get(of->bits, of->at++);
    return NRW_OK;
}
