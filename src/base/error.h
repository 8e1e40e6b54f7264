/* Filling an nrw_error. All of these accept err == NULL and return the status given, so that a
 * failing function ends in `return err_set(...)`. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "narrows/base.h"
#include <stdbool.h>

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Sets status and message; places already filled in stay. */
nrw_status err_set(nrw_error *err, nrw_status st, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* As err_set, with the text of `os_errno` behind the message: "cannot open: No such file". */
nrw_status err_errno(nrw_error *err, nrw_status st, int os_errno, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* Puts context before the message: "CONTEXT: MESSAGE". */
nrw_status err_wrap(nrw_error *err, nrw_status st, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The next step for the user; set where the option or command that helps is known. */
void err_next(nrw_error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Places. Each fills only what is still empty, so the innermost (most exact) one wins. */
void err_at_object(nrw_error *err, const char *object);
void err_at_offset(nrw_error *err, int64_t offset);
void err_at_row_group(nrw_error *err, int32_t row_group);
void err_at_column(nrw_error *err, const char *column);
void err_at_page(nrw_error *err, int64_t page);
void err_at_row(nrw_error *err, int64_t row);
/* record -1: the block as a whole. */
void err_at_block(nrw_error *err, int64_t block, int64_t record);

/* Leaves the function with the status of `expr` if it failed. */
#define TRY(expr)                                                                                  \
    do {                                                                                           \
        nrw_status try_st_ = (expr);                                                               \
        if (try_st_ < 0)                                                                           \
            return try_st_;                                                                        \
    } while (0)

/* The same for functions with one `out:` label and a local `st`. */
#define TRY_OUT(expr)                                                                              \
    do {                                                                                           \
        st = (expr);                                                                               \
        if (st < 0)                                                                                \
            goto out;                                                                              \
    } while (0)

#endif
