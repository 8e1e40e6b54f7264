/* Partitioned writing. A worker takes the columns of its batch and groups the rows by their keys,
 * outside of any turn (partition_rows.c, partition_keys.c). In the operator's turn the groups get
 * their partitions: new ones are made while there is room for direct writers (partition_table.c),
 * and each direct partition that occurs hands out the next number, which is the batch's place in
 * its file. Then, again outside of the turn, the rows of one partition after the other are gathered
 * and pushed to its writer under that number; all workers go through the partitions in one order,
 * one behind the other. Rows of other partitions go to the sort with their folder's name.
 *
 * At the end (partition_end.c) the direct files are finished by all workers, their memory is given
 * back, and what was sorted is written folder by folder (partition_rest.c). Files are listed in one
 * order of folders (folder_order), whichever way they were written. */
#include "exec/partition_own.h"
#include "exec/room.h"
#include "exec/sort_room.h"

#include <sys/resource.h>

#define MIB ((uint64_t)1 << 20)

enum {
    WISH_DIRECT = 64,
    FILES_APART = 64,   /* descriptors for inputs, spill and the rest of the process */
    FILES_EACH = 2,     /* a target's file and its folder */
    SORT_LEAST = 1536,  /* KiB a worker */
    EACH_LEAST = 8192,  /* list, name and key of a direct partition */
    FOLDER_VALUE = 24,  /* bytes of a key in a folder's name, about */
    FILE_BOOKS = 256,   /* of a file and of each of its columns, what is remembered at most */
    LEAVING = 256 << 10 /* bytes of sorted rows that leave together */
};

static nrw_status partition_push(op *base, batch *b, nrw_error *err)
{
    return partition_rows((op_partition *)base, b, err);
}

static nrw_status partition_finish(op *base, nrw_error *err)
{
    return partition_end((op_partition *)base, err);
}

static void partition_stop(op *base)
{
    op_partition *o = (op_partition *)base;

    turn_stop(&o->turn);
    pthread_mutex_lock(&o->lock);
    for (uint32_t i = 0; i < o->table.n; i++)
        if (o->table.at[i].writer)
            o->table.at[i].writer->class->stop(o->table.at[i].writer);
    pthread_mutex_unlock(&o->lock);
}

/* ---- life ---- */

static void partition_close(op *base)
{
    op_partition *o = (op_partition *)base;
    mem *m = o->m;

    part_table_release(&o->table);
    parquet_room_close(o->room);
    op_close(o->sort);
    parquet_footers_free(o->files);
    arena_free(o->a);
    pthread_mutex_destroy(&o->env.lock);
    pthread_mutex_destroy(&o->lock);
    mem_free(m, o, sizeof *o);
    mem_free_account(m);
}

static uint32_t taken_place(op_partition *o, uint32_t column)
{
    uint32_t i = 0;

    while (i < o->n_taken && o->taken[i] != column)
        i++;
    if (i == o->n_taken)
        o->taken[o->n_taken++] = column;
    return i;
}

static nrw_status plan_columns(op_partition *o, nrw_error *err)
{
    uint32_t keys = o->spec.n_keys, written = o->spec.written->n_fields;
    void *p;

    TRY(arena_alloc(o->a, 2 * ((size_t)keys + written) * sizeof(uint32_t), &p, err));
    o->taken = p;
    o->key_at = o->taken + keys + written;
    o->written_at = o->key_at + keys;
    for (uint32_t i = 0; i < keys; i++)
        o->key_at[i] = taken_place(o, o->spec.keys[i]);
    for (uint32_t i = 0; i < written; i++)
        o->written_at[i] = taken_place(o, o->spec.columns[i]);
    return NRW_OK;
}

static uint32_t direct_most(const partition_spec *s)
{
    struct rlimit files;
    uint64_t most = PART_MOST;

    if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur != RLIM_INFINITY) {
        uint64_t left = files.rlim_cur > FILES_APART ? files.rlim_cur - FILES_APART : 0;
        most = left / FILES_EACH < most ? left / FILES_EACH : most;
    }
    if (s->direct && s->direct < most)
        most = s->direct;
    /* pages have what no writer needs */
    if (s->folders && s->folders < most / 2)
        most = 2 * s->folders;
    return most ? (uint32_t)most : 1;
}

/* How many direct writers there may be; *lists: what their lists take. */
static uint32_t direct_lists(const partition_spec *s, uint64_t *lists)
{
    uint32_t most = direct_most(s);
    uint64_t part = s->memory / 16;

    *lists = (uint64_t)most * EACH_LEAST;
    *lists = *lists < part ? *lists : part;
    return *lists / EACH_LEAST ? (uint32_t)(*lists / EACH_LEAST) : 1;
}

static nrw_status open_direct(op_partition *o, nrw_error *err)
{
    uint32_t most, writers;
    uint64_t lists;

    most = direct_lists(&o->spec, &lists);
    TRY(parquet_room_new(o->m, o->env.spill, o->spec.written, o->spec.options, o->spec.workers,
                         o->spec.memory - lists, o->sort_memory, most, &o->room, err));
    writers = parquet_room_writers(o->room);
    return part_table_open(&o->table, o->m, writers < most ? writers : most, err);
}

static nrw_status check_spec(const partition_spec *s, nrw_error *err)
{
    if (!s->n_keys || s->n_keys > PARTITION_MAX_KEYS)
        return err_set(err, NRW_E_ARG, "%u partition keys, 1 to %d are possible", s->n_keys,
                       PARTITION_MAX_KEYS);
    for (uint32_t k = 0; k < s->n_keys; k++)
        if (type_is_nested(&s->key_fields[k].type)) {
            err_at_column(err, s->key_fields[k].name);
            return err_set(err, NRW_E_UNSUPPORTED, "a nested column cannot name folders");
        }
    return NRW_OK;
}

static uint64_t sort_least(uint32_t workers)
{
    return workers * ((uint64_t)SORT_LEAST << 10);
}

/* Of `stored` bytes, those of direct partitions: all folders get equal parts, about. */
static uint64_t stored_direct(uint64_t folders, uint64_t stored)
{
    if (folders <= WISH_DIRECT || folders == UINT64_MAX || stored == UINT64_MAX)
        return stored;
    return (uint64_t)((double)stored / (double)folders * WISH_DIRECT);
}

/* What sorting has of what is there above the least: one part of so many. */
static uint64_t sorted_part(const partition_spec *s)
{
    if (s->folders != UINT64_MAX && s->folders > 2 * WISH_DIRECT)
        return 2; /* most are sorted */
    return s->folders && s->folders < WISH_DIRECT / 2 ? 16 : 4;
}

/* What sorting the others can use: rows as they lie in memory, which is more than stored. */
static uint64_t sort_wish(uint64_t folders, uint64_t stored)
{
    const uint64_t most = 32 * MIB;
    uint64_t rest = stored - stored_direct(folders, stored);

    if (folders == UINT64_MAX || stored == UINT64_MAX)
        return folders <= WISH_DIRECT ? 0 : most;
    return rest < most / 4 ? rest * 4 : most;
}

nrw_status op_partition_budget(const schema *written, const pq_write_options *opts,
                               uint32_t workers, uint64_t folders, uint64_t stored, budget *out,
                               nrw_error *err)
{
    /* a folder's columns take twice what is usual, or there are more folders */
    uint32_t writers = folders < WISH_DIRECT / 2 ? 2 * (uint32_t)folders : WISH_DIRECT;
    uint64_t lists;

    workers = workers ? workers : 1;
    TRY(parquet_room_budget(written, opts, workers, writers, stored_direct(folders, stored), out,
                            err));
    lists = out->least / 8 + 64 * EACH_LEAST;
    out->least += sort_least(workers) + lists;
    out->wish += sort_least(workers) + lists + sort_wish(folders, stored);
    if (stored != UINT64_MAX) /* of the least most is there for what hardly ever comes together */
        out->wish -= out->least / 3 * 2;
    if (out->wish < out->least)
        out->wish = out->least;
    return NRW_OK;
}

static nrw_status sort_share(const partition_spec *s, uint64_t *out, nrw_error *err)
{
    budget b;

    TRY(op_partition_budget(s->written, s->options, s->workers, s->folders, s->stored, &b, err));
    if (s->memory < b.least)
        return err_set(err, NRW_E_MEMLIMIT,
                       "writing partitions takes at least %llu bytes, %llu are left",
                       (unsigned long long)b.least, (unsigned long long)s->memory);
    *out = sort_least(s->workers) + (s->memory - b.least) / sorted_part(s);
    return NRW_OK;
}

/* All rows may be sorted, and in all files. */
static uint64_t sort_spills(const partition_spec *s, const room_rows *rows, uint64_t memory)
{
    const uint64_t place = 8, word = 8, head = 8;
    uint64_t name = word;

    for (uint32_t k = 0; k < s->n_keys; k++)
        name += strlen(s->key_fields[k].name) + FOLDER_VALUE;
    room_rows r = {.n = rows->n,
                   .width = room_add(rows->width, name + word + place),
                   .keys = head + place,
                   .packed = room_add(rows->packed, name + place),
                   .packed_keys = head + place};
    return room_sort_spill(&r, memory, s->workers);
}

nrw_status op_partition_spill(const partition_spec *s, const room_rows *rows, const pq_flow *f,
                              uint64_t *out, nrw_error *err)
{
    const uint64_t folders = room_at_most(s->folders, f->rows);
    uint64_t sort_memory, lists, direct, rest;
    pq_flow behind = *f;
    uint32_t most;

    TRY(sort_share(s, &sort_memory, err));
    most = direct_lists(s, &lists);
    TRY(parquet_room_spill(s->written, s->options, s->workers, s->memory - lists - sort_memory,
                           most, f, &direct, err));
    behind.batches = room_add(f->rows / SORT_TAKE_ROWS, room_add(f->values / LEAVING, folders));
    TRY(parquet_room_rest_spill(s->written, s->options, s->workers, s->memory - sort_memory,
                                2 * s->workers + 1, &behind, &rest, err));
    rest = room_add(rest, room_mul(folders, (uint64_t)FILE_BOOKS * (1 + s->written->n_fields)));
    *out = room_add(room_add(direct, rest), sort_spills(s, rows, sort_memory));
    return NRW_OK;
}

static nrw_status open_parts(op_partition *o, nrw_error *err)
{
    TRY(sort_share(&o->spec, &o->sort_memory, err));
    TRY(arena_new(o->m, &o->a, err));
    TRY(plan_columns(o, err));
    TRY(parquet_footers_new(o->m, o->env.spill, o->spec.row_groups, &o->files, err));
    return open_direct(o, err);
}

nrw_status op_partition_new(mem *m, const partition_spec *spec, spill *s, op **out, nrw_error *err)
{
    static const op_class class = {.name = "partition",
                                   .push = partition_push,
                                   .finish = partition_finish,
                                   .stop = partition_stop,
                                   .close = partition_close,
                                   .deals = true};
    mem *own;
    op_partition *o;
    nrw_status st;

    *out = NULL;
    TRY(check_spec(spec, err));
    TRY(mem_child(m, "partition", MEM_NO_LIMIT, &own, err));
    st = mem_zalloc(own, sizeof *o, (void **)&o, err);
    if (st < 0) {
        mem_free_account(own);
        return st;
    }
    o->base.class = &class;
    o->m = own;
    o->spec = *spec;
    o->spec.workers = spec->workers ? spec->workers : 1;
    o->env = (files_env){.m = own,
                         .spill = s,
                         .maker = spec->maker,
                         .names = &o->spec.names,
                         .file_bytes = spec->file_bytes,
                         .file_groups = spec->file_groups,
                         .row_groups = spec->row_groups};
    pthread_mutex_init(&o->env.lock, NULL);
    pthread_mutex_init(&o->lock, NULL);
    turn_init(&o->turn);
    st = open_parts(o, err);
    if (st < 0)
        partition_close(&o->base);
    else
        *out = &o->base;
    return st;
}

const parquet_footers *op_partition_files(const op *o)
{
    return ((const op_partition *)o)->files;
}
