/* Where output goes: staged beside the target and published whole, or stdout.
 *
 * A local file is written into an unnamed file (O_TMPFILE) in the target's folder and linked at
 * publication: directly under its name when nothing may be replaced (so two runs cannot both
 * win), through a `.narrows-*` name and rename() when it may. File systems without unnamed files
 * use such a name throughout. A leftover name of a killed run to the same target is removed when
 * a target is opened (it is recognised by target name and a lock that its owner held). Until
 * target_publish returns the target is as it was; target_close without it leaves it so. */
#ifndef IO_TARGET_H
#define IO_TARGET_H

#include "base/mem.h"
#include "base/span.h"
#include "io/spill.h"

typedef struct target target;

typedef enum on_exists { EXISTS_FAIL, EXISTS_REPLACE, EXISTS_SKIP, EXISTS_APPEND } on_exists;

/* path "-": stdout (publish only flushes). NRW_E_EXISTS with the sentence of the command's design
 * where the target exists and the policy is EXISTS_FAIL; of EXISTS_SKIP NRW_END. A directory or a
 * missing folder is an error that says so.
 *
 * EXISTS_APPEND: the staged file begins with a copy of what is there, made in the kernel where it
 * can (of file systems that share extents: at once). NRW_E_IO where another run adds to it at the
 * same time; target_publish is NRW_E_CHANGED where it is no longer what was copied. */
nrw_status target_open(mem *m, const char *path, on_exists policy, target **out, nrw_error *err);
/* A pipe or device that is open: `name` is for messages. fd is taken, also on failure; it is closed
 * by target_close, and by target_publish. */
nrw_status target_over_stream(mem *m, int fd, const char *name, target **out, nrw_error *err);
/* Appends. Small writes are gathered in a buffer of 64 KiB. A full disk says how many bytes were
 * to be written and how many are missing. NRW_E_PIPE when stdout's reader went away. */
nrw_status target_write(target *t, span data, nrw_error *err);
enum { TARGET_PIECES = 16 };
/* Appends pieces, at most TARGET_PIECES. Of a file in one call, for which the kernel takes larger
 * pages of its cache than for a call for each. */
nrw_status target_write_list(target *t, const span *pieces, size_t n, nrw_error *err);
/* Appends a spilled block, in the kernel where it can (copy_file_range). */
nrw_status target_append_spill(target *t, spill *s, const spill_block *b, nrw_error *err);
/* Whether it is a pipe, a device or stdout: what was written is on its way. */
bool target_is_stream(const target *t);
/* Bytes of the file so far, with what it began with; of a stream those written. */
uint64_t target_size(const target *t);
/* Of these the ones that it began with. */
uint64_t target_began(const target *t);
/* Some of the latter. */
nrw_status target_read(const target *t, uint64_t at, void *dst, size_t len, nrw_error *err);
/* Flush, fsync, publish, fsync of the folder. After success or failure only target_close is
 * legal. */
nrw_status target_publish(target *t, nrw_error *err);
/* Without publication before it: abort. NULL is fine. */
void target_close(target *t);

#endif
