#include "base/varint.h"
#include "exec/first_late.h"

#define BUCKETS     256u /* at most */
#define BLOCK       (16u << 10)
#define BLOCK_LEAST 512u
#define BITS_LEAST  15u /* of a bitmap: 4 KiB */

static size_t bitmap_bytes(const first_marks *f)
{
    return f->buckets ? (size_t)1 << (f->shift - 3) : (size_t)(f->n / 8 + 1);
}

static nrw_status open_buckets(first_marks *f, uint64_t memory, nrw_error *err)
{
    uint64_t block;

    f->shift = BITS_LEAST;
    while (memory >> (f->shift - 2) || f->n >> f->shift >= BUCKETS)
        f->shift++;
    f->n_buckets = (uint32_t)(f->n >> f->shift) + 1;
    block = memory / f->n_buckets;
    f->block = block < BLOCK_LEAST ? BLOCK_LEAST : block < BLOCK ? (size_t)block : BLOCK;
    f->open = UINT64_MAX;
    TRY(mem_zalloc(f->m, f->n_buckets * sizeof *f->buckets, (void **)&f->buckets, err));
    for (uint32_t i = 0; i < f->n_buckets; i++)
        f->buckets[i].numbers = bytes_init(f->m, UINT32_MAX);
    return NRW_OK;
}

nrw_status first_marks_open(first_marks *f, uint64_t n, uint64_t memory, mem *m, spill *s,
                            nrw_error *err)
{
    *f = (first_marks){.m = m, .spill = s, .n = n, .read = bytes_init(m, UINT32_MAX)};
    if (n / 8 >= memory)
        TRY(open_buckets(f, memory, err));
    return mem_zalloc(m, bitmap_bytes(f), (void **)&f->bits, err);
}

void first_marks_release(first_marks *f)
{
    for (uint32_t i = 0; f->buckets && i < f->n_buckets; i++) {
        bytes_release(&f->buckets[i].numbers);
        spill_chain_free(&f->buckets[i].blocks, f->spill);
    }
    mem_free(f->m, f->bits, f->bits ? bitmap_bytes(f) : 0);
    mem_free(f->m, f->buckets, f->buckets ? f->n_buckets * sizeof *f->buckets : 0);
    bytes_release(&f->read);
    f->buckets = NULL;
    f->bits = NULL;
}

static uint64_t within(const first_marks *f, uint64_t number)
{
    return number & (((uint64_t)1 << f->shift) - 1);
}

static nrw_status write_bucket(first_marks *f, first_bucket *b, nrw_error *err)
{
    TRY(spill_chain_write(&b->blocks, f->spill, (span){b->numbers.data, b->numbers.len}, true,
                          err));
    b->numbers.len = 0;
    b->last = 0;
    return NRW_OK;
}

/* A part's numbers rise; the next part's begin anew: distances go round the bucket's end. */
nrw_status first_marks_put(first_marks *f, uint64_t number, nrw_error *err)
{
    first_bucket *b;

    if (!f->buckets) {
        bit_set(f->bits, number);
        return NRW_OK;
    }
    b = &f->buckets[number >> f->shift];
    if (b->numbers.cap < f->block)
        TRY(bytes_reserve(&b->numbers, f->block, err));
    b->numbers.len += varint_put(b->numbers.data + b->numbers.len, within(f, number - b->last));
    b->last = within(f, number);
    return b->numbers.len + VARINT_MOST > f->block ? write_bucket(f, b, err) : NRW_OK;
}

static nrw_status set_bits(first_marks *f, span distances, nrw_error *err)
{
    const uint8_t *p = distances.data, *end = p + distances.len;
    uint64_t at = 0, distance;

    while (p < end) {
        if (varint_get(&p, end, &distance) != 1)
            return err_set(err, NRW_E_IO,
                           "a block of the spill file does not hold what was "
                           "written");
        at = within(f, at + distance);
        bit_set(f->bits, at);
    }
    return NRW_OK;
}

static nrw_status open_bucket(first_marks *f, uint64_t i, nrw_error *err)
{
    first_bucket *b = &f->buckets[i];
    spill_block block;
    nrw_status st;

    memset(f->bits, 0, bitmap_bytes(f));
    if (b->numbers.len)
        TRY(set_bits(f, (span){b->numbers.data, b->numbers.len}, err));
    bytes_release(&b->numbers);
    while ((st = spill_chain_take(&b->blocks, f->spill, &block, err)) == NRW_OK) {
        f->read.len = 0;
        st = bytes_reserve(&f->read, block.len, err);
        if (st >= 0)
            st = spill_read(f->spill, &block, f->read.data, err);
        spill_free(f->spill, &block);
        if (st >= 0)
            st = set_bits(f, (span){f->read.data, block.len}, err);
        TRY(st);
    }
    TRY(st);
    f->open = i;
    return NRW_OK;
}

nrw_status first_marks_has(first_marks *f, uint64_t number, bool *has, nrw_error *err)
{
    if (!f->buckets) {
        *has = bit_get(f->bits, number);
        return NRW_OK;
    }
    if (number >> f->shift != f->open)
        TRY(open_bucket(f, number >> f->shift, err));
    *has = bit_get(f->bits, within(f, number));
    return NRW_OK;
}
