/* One schema over many: columns of the same name become one, as wide as it must be; what a file
 * lacks is null there. Names are matched exactly first, then without case. */
#ifndef DATASET_UNIFY_H
#define DATASET_UNIFY_H

#include "column/type.h"

/* What is done about files that differ from those before them. */
typedef enum schema_change {
    SCHEMA_WIDEN, /* columns are added, types widened */
    SCHEMA_ADD,   /* columns are added */
    SCHEMA_FAIL   /* names, order and types are equal */
} schema_change;

typedef struct union_column {
    field field;    /* as it is now */
    size_t from;    /* the file that made its type what it is */
    size_t first;   /* the first file that has it */
    size_t files;   /* how many have it */
    bool widened;   /* some file has another type */
    int32_t added;  /* column of `added` whose values stand in for the file's; -1: none */
    uint64_t taken; /* by a column of the file of this stamp */
    uint64_t hash;  /* of its name */
    int32_t twin;   /* the column before it of the same name; -1: none */
} union_column;

typedef struct union_part {
    const char *path;
    field field;
    size_t files, first; /* that have it, and the first of them */
    bool differs;
} union_part;

typedef struct unify {
    arena *a;
    schema_change change;
    const schema *added;                                /* columns that no file holds; NULL: none */
    const char *(*name)(const void *self, size_t file); /* for messages */
    const void *self;
    size_t files; /* seen */
    union_column *columns;
    uint32_t n;
    size_t cap;
    uint32_t *slots; /* by the hash of a name: its last column, and one more; 0: free */
    uint32_t n_slots;
    union_part *parts;
    uint32_t n_parts;
    size_t cap_parts;
    int32_t *places; /* of the file's columns at hand; -1: the union has none like it */
    uint32_t cap_places;
    uint64_t stamp; /* of that file */
} unify;

/* Takes file number u->files in. NRW_E_SCHEMA: it does not go with those before; both files and
 * the column are named. */
nrw_status unify_add(unify *u, const schema *s, nrw_error *err) NRW_CHECKED;
/* The schema of all: the files' columns as they first came, then those of `added` that no file has,
 * then parts of nested columns that are the same in all files. Lies in u->a. */
nrw_status unify_end(unify *u, schema *out, nrw_error *err) NRW_CHECKED;

/* The first file that has this column or part of `all`; 0 for what no file has. */
size_t unify_first(const unify *u, const schema *all, uint32_t column);

typedef enum map_kind {
    MAP_FILE, /* the file's column */
    MAP_CAST, /* the same, cast */
    MAP_NULL, /* the file has none */
    MAP_ADDED /* column of `added` */
} map_kind;

typedef struct map_entry {
    uint8_t kind;    /* map_kind */
    uint32_t column; /* of the file or of `added` */
} map_entry;

/* How the columns and parts of `all`, which unify_end made, come out of a file of schema s: room
 * for all of them in `map`. *same: each is the file's own, at the same place. *fits: false, the
 * file is none of those that were taken in. `a` is for the time of the call. */
nrw_status unify_map(unify *u, arena *a, const schema *all, const schema *s, map_entry *map,
                     bool *same, bool *fits, nrw_error *err) NRW_CHECKED;

#endif
