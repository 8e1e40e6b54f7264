#include "column/distinct.h"

#include <math.h>

#define SET_MOST  512
#define BITS      12
#define REGISTERS (1u << BITS)
#define RANKS     (64 - BITS) /* of bits behind the register's number */

static void note(uint8_t *registers, uint64_t hash)
{
    uint64_t rest = hash << BITS | (uint64_t)1 << (BITS - 1);
    uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
    uint8_t *r = &registers[hash >> RANKS];
    if (rank > *r)
        *r = rank;
}

static nrw_status grow(distinct *d, nrw_error *err);

static nrw_status insert(distinct *d, uint64_t hash, nrw_error *err)
{
    uint32_t mask = d->cap - 1, at = (uint32_t)hash & mask;
    for (; d->set[at]; at = (at + 1) & mask)
        if (d->set[at] == hash)
            return NRW_OK;
    d->set[at] = hash;
    d->n++;
    return 2 * d->n > d->cap ? grow(d, err) : NRW_OK;
}

/* A set of twice the size, or the registers. */
static nrw_status grow(distinct *d, nrw_error *err)
{
    distinct bigger = {.m = d->m, .cap = d->cap ? 2 * d->cap : 16};
    void *p;
    if (d->n < SET_MOST) {
        TRY(mem_zalloc(d->m, bigger.cap * sizeof *bigger.set, &p, err));
        bigger.set = p;
    } else {
        TRY(mem_zalloc(d->m, REGISTERS, &p, err));
        bigger.registers = p;
        bigger.cap = 0;
    }
    for (uint32_t i = 0; i < d->cap; i++) {
        if (!d->set[i])
            continue;
        if (bigger.registers)
            note(bigger.registers, d->set[i]);
        else
            TRY(insert(&bigger, d->set[i], err)); /* has room: cannot fail */
    }
    distinct_release(d);
    *d = bigger;
    return NRW_OK;
}

nrw_status distinct_add(distinct *d, uint64_t hash, nrw_error *err)
{
    if (d->registers) {
        note(d->registers, hash);
        return NRW_OK;
    }
    if (!d->cap)
        TRY(grow(d, err));
    return insert(d, hash ? hash : 1, err);
}

nrw_status distinct_merge(distinct *d, const distinct *other, nrw_error *err)
{
    for (uint32_t i = 0; i < other->cap; i++)
        if (other->set[i])
            TRY(distinct_add(d, other->set[i], err));
    if (!other->registers)
        return NRW_OK;
    if (!d->registers) {
        void *p;
        TRY(mem_zalloc(d->m, REGISTERS, &p, err));
        for (uint32_t i = 0; i < d->cap; i++)
            if (d->set[i])
                note(p, d->set[i]);
        distinct_release(d);
        d->registers = p;
    }
    for (uint32_t i = 0; i < REGISTERS; i++)
        if (other->registers[i] > d->registers[i])
            d->registers[i] = other->registers[i];
    return NRW_OK;
}

/* The estimator of O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches"
 * (2017), section 3.4: no tables, no special ranges. */
static double sigma(double x)
{
    double y = 1, z = x, before;
    if (x == 1)
        return INFINITY;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z != before);
    return z;
}

static double tau(double x)
{
    double y = 1, z = 1 - x, before;
    if (x == 0 || x == 1)
        return 0;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z != before);
    return z / 3;
}

uint64_t distinct_count(const distinct *d)
{
    uint32_t counts[RANKS + 2] = {0};
    if (!d->registers)
        return d->n;
    for (uint32_t i = 0; i < REGISTERS; i++)
        counts[d->registers[i]]++;
    double m = REGISTERS, z = m * tau(1 - counts[RANKS + 1] / m);
    for (int k = RANKS; k >= 1; k--)
        z = 0.5 * (z + counts[k]);
    z += m * sigma(counts[0] / m);
    return (uint64_t)llround(m * m / (2 * log(2) * z));
}

void distinct_release(distinct *d)
{
    mem_free(d->m, d->set, d->cap * sizeof *d->set);
    mem_free(d->m, d->registers, REGISTERS);
    d->set = NULL;
    d->registers = NULL;
    d->n = d->cap = 0;
}
