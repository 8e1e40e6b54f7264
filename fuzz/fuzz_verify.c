/* Whole files: verification reads every page of every column, whatever the bytes say. It ends, in
 * bounded memory, with faults or without. */
#include "format/parquet/verify.h"
#include "placed.h"

enum { MOST_MEMORY = 32 << 20, MOST_FAULTS = 100, MOST_SPILL = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static nrw_status on_fault(void *self, const nrw_error *what, nrw_error *err)
{
    must_be_placed(what->status, what);
    return ++*(int *)self > MOST_FAULTS ? err_set(err, NRW_E_CANCELLED, "enough") : NRW_OK;
}

static nrw_status verify(mem *m, io_file *f, spill *s, nrw_error *err)
{
    pq_meta *p;
    pq_verify_counts counts;
    int faults = 0;
    TRY(pq_meta_open(m, f, NULL, &p, err));
    nrw_status st = pq_verify(p, f, s, m, true, on_fault, &faults, &counts, err);
    pq_meta_close(p);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mem *m;
    io_file *f = NULL;
    spill *s = NULL;
    if (mem_root(MOST_MEMORY, &m, NULL) < 0)
        return 0;
    if (file_open_memory(m, "fuzz", (span){data, size}, &f, NULL) >= 0 &&
        spill_new(m, NULL, MOST_SPILL, &s, NULL) >= 0) {
        nrw_error err = NRW_ERROR_INIT;
        nrw_status st = verify(m, f, s, &err);
        if (st < 0)
            must_be_placed(st, &err);
    }
    spill_close(s);
    file_close(f);
    mem_trim();
    if (mem_used(m))
        __builtin_trap();
    mem_free_account(m);
    return 0;
}
