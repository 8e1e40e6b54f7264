/* A record: head, text, NUL. Numbers lie as this machine writes them: the journal is read where it
 * was written. */
#include "io/dataset_journal.h"

#include "base/hash.h"
#include "io/sys.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>

typedef struct record_head {
    uint64_t chain; /* over the chain before, and all that follows this field */
    uint64_t number;
    uint32_t len; /* of the text */
    uint32_t kind;
} record_head;

#define RECORD_MAX  (sizeof(record_head) + JOURNAL_TEXT_MAX + 1)
#define BUFFER_SIZE ((size_t)32 << 10)

/* `record` is whole: head, text, NUL. */
static uint64_t chain_of(uint64_t before, const uint8_t *record, size_t len)
{
    const size_t skip = offsetof(record_head, number);

    return hash_combine(before, hash_bytes(record + skip, len - skip));
}

int journal_new(int folder, const char *name, journal *out)
{
    *out = (journal){.fd = -1};
    return sys_open_at(folder, name, O_RDWR | O_CREAT | O_EXCL, 0666, &out->fd);
}

int journal_add(journal *j, journal_kind kind, uint64_t number, const char *text)
{
    uint8_t record[RECORD_MAX];
    record_head h = {.number = number, .len = (uint32_t)strlen(text), .kind = kind};
    size_t len = sizeof h + h.len + 1, done;
    int e;

    if (j->failed)
        return j->failed;
    memcpy(record, &h, sizeof h);
    memcpy(record + sizeof h, text, (size_t)h.len + 1);
    h.chain = chain_of(j->chain, record, len);
    memcpy(record, &h.chain, sizeof h.chain);
    e = sys_write_at(j->fd, j->size, record, len, &done);
    if (e) {
        j->failed = e;
        return e;
    }
    j->size += len;
    j->chain = h.chain;
    return 0;
}

int journal_sync(journal *j)
{
    return sys_sync(j->fd);
}

void journal_close(journal *j)
{
    sys_close(j->fd);
    j->fd = -1;
}

nrw_status journal_read(mem *m, int fd, journal_reader *out, nrw_error *err)
{
    void *p;

    *out = (journal_reader){.m = m, .fd = fd};
    TRY(mem_alloc(m, BUFFER_SIZE, &p, err));
    out->buffer = p;
    return NRW_OK;
}

/* Makes a whole record readable at r->at, or as much of it as there is. */
static nrw_status fill(journal_reader *r, nrw_error *err)
{
    size_t done;
    int e;

    if (r->len - r->at >= RECORD_MAX)
        return NRW_OK;
    e = sys_read_at(r->fd, r->offset, r->buffer, BUFFER_SIZE, &done);
    r->at = 0;
    r->len = e ? 0 : done;
    return e ? err_errno(err, NRW_E_IO, e, "cannot read the journal of a run") : NRW_OK;
}

/* The record at r->at by its head alone; its length, 0 where there is none. */
static size_t parse(const journal_reader *r, record_head *h, journal_record *out)
{
    const uint8_t *at = r->buffer + r->at;
    size_t have = r->len - r->at, len;

    if (have < sizeof *h)
        return 0;
    memcpy(h, at, sizeof *h);
    len = sizeof *h + (size_t)h->len + 1;
    if (h->len > JOURNAL_TEXT_MAX || len > have || at[len - 1] != '\0')
        return 0;
    *out = (journal_record){.kind = (journal_kind)h->kind,
                            .number = h->number,
                            .text = (const char *)at + sizeof *h,
                            .offset = r->offset};
    return len;
}

nrw_status journal_next(journal_reader *r, journal_record *out, nrw_error *err)
{
    record_head h;
    size_t len;

    *out = (journal_record){0};
    TRY(fill(r, err));
    len = parse(r, &h, out);
    if (!len || chain_of(r->chain, r->buffer + r->at, len) != h.chain)
        return NRW_END;
    r->at += len;
    r->offset += len;
    r->chain = h.chain;
    return NRW_OK;
}

nrw_status journal_at(journal_reader *r, uint64_t offset, journal_record *out, nrw_error *err)
{
    record_head h;

    *out = (journal_record){0};
    r->offset = offset;
    r->at = r->len = 0;
    TRY(fill(r, err));
    if (!parse(r, &h, out))
        return err_set(err, NRW_E_CORRUPT, "a run's journal was changed while it was used");
    return NRW_OK;
}

void journal_rewind(journal_reader *r)
{
    r->at = r->len = 0;
    r->offset = r->chain = 0;
}

void journal_read_end(journal_reader *r)
{
    mem_free(r->m, r->buffer, BUFFER_SIZE);
    r->buffer = NULL;
}
