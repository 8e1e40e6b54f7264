/* Page headers: a header, a request for more bytes, or an error; never a count or length below
 * zero. */
#include "format/parquet/meta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pq_page p;
    nrw_error err = NRW_ERROR_INIT;
    nrw_status st = pq_page_parse((span){data, size}, &p, &err);
    if (st < 0 && (!err.message[0] || err.offset != -1))
        __builtin_trap();
    if (st != NRW_OK)
        return 0;
    if (p.header_len > size || p.uncompressed < 0 || p.compressed < 0 || p.n_values < 0 ||
        p.def_len < 0 || p.rep_len < 0)
        __builtin_trap();
    /* The same bytes without what lies behind the header say the same. */
    pq_page again;
    if (pq_page_parse((span){data, p.header_len}, &again, NULL) != NRW_OK ||
        again.header_len != p.header_len || again.n_values != p.n_values)
        __builtin_trap();
    return 0;
}
