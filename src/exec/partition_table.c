#include "exec/partition_own.h"

nrw_status part_table_open(part_table *t, mem *m, uint32_t most, nrw_error *err)
{
    void *p;

    *t = (part_table){.m = m, .most = most, .n_slots = 4};
    while (t->n_slots < 2 * most)
        t->n_slots *= 2;
    TRY(mem_zalloc(m, t->n_slots * sizeof *t->slots, &p, err));
    t->slots = p;
    TRY(mem_zalloc(m, most * sizeof *t->at, &p, err));
    t->at = p;
    return NRW_OK;
}

void part_table_release(part_table *t)
{
    for (uint32_t i = 0; t->at && i < t->n; i++) {
        direct_part *p = &t->at[i];
        if (p->writer)
            p->writer->class->close(p->writer);
        folder_files_close(&p->files);
        mem_free(t->m, p->key, p->key_len);
    }
    mem_free(t->m, t->slots, t->slots ? t->n_slots * sizeof *t->slots : 0);
    mem_free(t->m, t->at, t->at ? t->most * sizeof *t->at : 0);
    *t = (part_table){.m = t->m};
}

static uint32_t slot_of(const part_table *t, span key, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (t->n_slots - 1);

    for (; t->slots[at]; at = (at + 1) & (t->n_slots - 1)) {
        const direct_part *p = &t->at[t->slots[at] - 1];
        if (p->hash == hash && !span_compare((span){p->key, p->key_len}, key))
            break;
    }
    return at;
}

uint32_t part_table_find(const part_table *t, span key, uint64_t hash)
{
    uint32_t part = t->slots[slot_of(t, key, hash)];

    return part ? part - 1 : PART_NONE;
}

nrw_status part_table_add(part_table *t, files_env *env, span key, uint64_t hash, span folder,
                          uint32_t *out, nrw_error *err)
{
    direct_part *p = &t->at[t->n];
    nrw_status st;
    void *copy;

    TRY(mem_alloc(t->m, key.len, &copy, err));
    memcpy(copy, key.data, key.len);
    *p = (direct_part){.key = copy, .key_len = key.len, .hash = hash};
    st = folder_files_open(&p->files, env, folder, err);
    if (st < 0) {
        folder_files_close(&p->files);
        mem_free(t->m, p->key, p->key_len);
        *p = (direct_part){0};
        return st;
    }
    *out = t->n++;
    t->slots[slot_of(t, key, hash)] = t->n;
    return NRW_OK;
}
