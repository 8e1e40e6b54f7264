/* The journal of a dataset's staging: what is finished, and what is to be done with it. A file that
 * only grows; each record's checksum covers all records before it, so that a cut, lost or changed
 * one is noticed. Internal to the dataset target. */
#ifndef IO_DATASET_JOURNAL_H
#define IO_DATASET_JOURNAL_H

#include "base/mem.h"

#define JOURNAL_TEXT_MAX 4095 /* bytes of a record's text */

typedef enum journal_kind {
    JOURNAL_HEAD = 'h',  /* number: folders that were made above the dataset; text: this boot */
    JOURNAL_FACT = 'i',  /* what the run is: see dataset_fact */
    JOURNAL_BEGUN = 'b', /* behind all facts */
    JOURNAL_CARRY = 'c', /* number: what was said of the file whose name it is */
    JOURNAL_WHOLE = 'w', /* all is finished; number: the inode of the folder that gets the name */
    JOURNAL_FILE = 'f',  /* a finished file: its name in the dataset; number: bytes */
    JOURNAL_DROP = 'd',  /* a file of the dataset that goes */
    JOURNAL_END = 'e'    /* number: how it is published */
} journal_kind;

/* Being written; by one thread at a time. */
typedef struct journal {
    int fd; /* -1: none */
    uint64_t size, chain;
    int failed; /* the errno of a record that may be torn: nothing may follow it */
} journal;

/* EEXIST where the name is taken: errno values, as all of these but those that take an error. */
int journal_new(int folder, const char *name, journal *out);
/* `text` of at most JOURNAL_TEXT_MAX bytes. The record is written, not synced. */
int journal_add(journal *j, journal_kind kind, uint64_t number, const char *text);
int journal_sync(journal *j);
void journal_close(journal *j);

typedef struct journal_record {
    journal_kind kind;
    uint64_t number;
    const char *text; /* ends with a NUL; good until the next record */
    uint64_t offset;  /* of the record */
} journal_record;

typedef struct journal_reader {
    mem *m;
    int fd;
    uint8_t *buffer;
    size_t at, len;
    uint64_t offset, chain; /* of the next record; over those before it */
} journal_reader;

/* A descriptor that stays the caller's. */
nrw_status journal_read(mem *m, int fd, journal_reader *out, nrw_error *err) NRW_CHECKED;
/* NRW_END at the end of the file, or before bytes that are no record that follows. */
nrw_status journal_next(journal_reader *r, journal_record *out, nrw_error *err) NRW_CHECKED;
/* The record at an offset that journal_next told, without its checksum. */
nrw_status journal_at(journal_reader *r, uint64_t offset, journal_record *out,
                      nrw_error *err) NRW_CHECKED;
/* Back to the first record. */
void journal_rewind(journal_reader *r);
void journal_read_end(journal_reader *r); /* all zero is fine */

#endif
