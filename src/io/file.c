#include "io/file.h"

#include "base/text.h"

#include <string.h>

nrw_status file_set_up(io_file *f, const file_class *class, mem *m, const char *name,
                       nrw_error *err)
{
    size_t len = strlen(name) + 1;
    void *p;

    *f = (io_file){.class = class, .m = m};
    TRY(mem_alloc(m, len, &p, err));
    f->name = memcpy(p, name, len);
    return NRW_OK;
}

nrw_status file_read(io_file *f, uint64_t offset, void *dst, size_t len, nrw_error *err)
{
    char want[TEXT_NUMBER], have[TEXT_NUMBER];
    nrw_status st;

    if (len > f->size || offset > f->size - len) {
        err_at_object(err, f->name);
        err_at_offset(err, (int64_t)offset);
        return err_set(err, NRW_E_CORRUPT, "%s bytes should lie here, the file has only %s",
                       text_group(len, want), text_group(f->size, have));
    }
    if (len == 0)
        return NRW_OK;
    st = f->class->read_at(f, offset, dst, len, err);
    if (st < 0) {
        err_at_object(err, f->name);
        err_at_offset(err, (int64_t)offset);
        return st;
    }
    atomic_fetch_add_explicit(&f->bytes_read, len, memory_order_relaxed);
    return NRW_OK;
}

void file_will_read(io_file *f, uint64_t offset, uint64_t len)
{
    if (f->class->will_read && len && offset < f->size)
        f->class->will_read(f, offset, len < f->size - offset ? len : f->size - offset);
}

nrw_status file_check(io_file *f, nrw_error *err)
{
    nrw_status st = f->class->check ? f->class->check(f, err) : NRW_OK;

    if (st < 0)
        err_at_object(err, f->name);
    return st;
}

nrw_status file_expect(io_file *f, uint64_t at, uint64_t len, nrw_error *err)
{
    nrw_status st;

    if (!f->class->expect)
        return len > f->size || at > f->size - len ? NRW_END : NRW_OK;
    st = f->class->expect(f, at, len, err);
    if (st < 0)
        err_at_object(err, f->name);
    return st;
}

void file_forget(io_file *f, uint64_t at)
{
    if (f->class->forget)
        f->class->forget(f, at);
}

void file_close(io_file *f)
{
    if (!f)
        return;
    if (f->name)
        mem_free(f->m, f->name, strlen(f->name) + 1);
    f->name = NULL;
    f->class->close(f);
}

typedef struct memory_file {
    io_file file;
    span bytes;
} memory_file;

static nrw_status memory_read(io_file *f, uint64_t offset, void *dst, size_t len, nrw_error *err)
{
    (void)err;
    memcpy(dst, ((memory_file *)f)->bytes.data + offset, len);
    return NRW_OK;
}

static void memory_close(io_file *f)
{
    mem_free(f->m, f, sizeof(memory_file));
}

static const file_class memory_class = {
    .name = "memory", .read_at = memory_read, .close = memory_close};

nrw_status file_open_memory(mem *m, const char *name, span bytes, io_file **out, nrw_error *err)
{
    memory_file *f;
    nrw_status st;
    void *p;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof *f, &p, err));
    f = p;
    st = file_set_up(&f->file, &memory_class, m, name, err);
    if (st < 0) {
        mem_free(m, f, sizeof *f);
        return st;
    }
    f->bytes = bytes;
    f->file.size = bytes.len;
    *out = &f->file;
    return NRW_OK;
}
