/* Dictionaries. What an id stands for changes as messages come: each state is an object, to which
 * batches hold on. Its entries are read when first wanted. */
#ifndef ARROW_DICTIONARY_H
#define ARROW_DICTIONARY_H

#include "format/arrow/record.h"

typedef struct ipc_dictionary {
    ipc_file *file;
    _Atomic uint32_t refs;
    int64_t id;
    const arrow_layout *layout;
    uint64_t at;                 /* of its message */
    struct ipc_dictionary *base; /* what it adds to; NULL: it stands alone, or is loaded */
    arrow_places places;         /* of its values' batches */
    bool loaded;                 /* under the file's lock, as what follows */
    arrow_entries entries;
    /* dictionaries that its own values refer to */
    struct ipc_dictionary **under;
    uint32_t n_under;
} ipc_dictionary;

/* The state of all ids, held by the cutter. */
typedef struct ipc_dictionaries {
    ipc_file *file;
    uint32_t n;
    const arrow_layout **layouts; /* a layout each id that is wanted */
    ipc_dictionary **now;         /* NULL: none came yet */
    arrow_places *places;
} ipc_dictionaries;

/* Of the layouts that are wanted, also under others. */
nrw_status ipc_dictionaries_init(ipc_dictionaries *d, ipc_file *f, arena *a,
                                 const arrow_layout *const *wanted, uint32_t n,
                                 nrw_error *err) NRW_CHECKED;
/* Takes a message of a dictionary in. */
nrw_status ipc_dictionaries_take(ipc_dictionaries *d, const ipc_message *m,
                                 nrw_error *err) NRW_CHECKED;
/* References on all of them, for a batch. */
nrw_status ipc_dictionaries_hold(const ipc_dictionaries *d, ipc_dictionary ***out, uint32_t *n,
                                 nrw_error *err) NRW_CHECKED;
void ipc_dictionaries_drop(ipc_file *f, ipc_dictionary **at, uint32_t n);
void ipc_dictionaries_release(ipc_dictionaries *d);

/* Its entries, read now if nobody did before. Any thread. */
nrw_status ipc_dictionary_entries(ipc_dictionary *d, const arrow_entries **out, nrw_error *err);

#endif
