/* Somebody may ask for the end of a run, from another thread or a signal handler: a word becomes
 * 1, and whoever works for long looks at it. */
#ifndef EXEC_CANCEL_H
#define EXEC_CANCEL_H

#include "base/error.h"

#include <stdatomic.h>

typedef _Atomic uint32_t cancel_flag;

static inline bool is_cancelled(const cancel_flag *f)
{
    return f && atomic_load_explicit(f, memory_order_relaxed);
}

static inline nrw_status cancel_check(const cancel_flag *f, nrw_error *err)
{
    return is_cancelled(f) ? err_set(err, NRW_E_CANCELLED, "interrupted") : NRW_OK;
}

#endif
