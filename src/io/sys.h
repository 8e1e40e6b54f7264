/* System calls on files, with what every caller wants: EINTR retried, short transfers continued,
 * faults injected in test builds. They return 0 or an errno. Internal to io. */
#ifndef IO_SYS_H
#define IO_SYS_H

#include "base/mem.h"
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* *fd is -1 on failure. O_CLOEXEC is added. */
int sys_open_at(int dir, const char *path, int flags, mode_t mode, int *fd);
int sys_stat_at(int dir, const char *path, struct stat *st, int flags);
int sys_stat(int fd, struct stat *st);
/* Is there anything of this name? A link is there whatever it leads to. */
int sys_is_at(int dir, const char *path, bool *there);

/* *done counts the bytes that went through even on failure. Reading stops early only at the end of
 * the file. */
int sys_read_at(int fd, uint64_t offset, void *dst, size_t len, size_t *done);
/* Whether all of a range, of at least a byte and within the file, lies in the page cache; false
 * where the system does not say. */
bool sys_is_cached(int fd, uint64_t offset, uint64_t len);
/* Has the range read in the background. Asking for what is there already goes through all of its
 * pages, so that is not done. */
void sys_will_read(int fd, uint64_t offset, uint64_t len);
int sys_write_at(int fd, uint64_t offset, const void *src, size_t len, size_t *done);
/* Pieces one behind the other. The list is used up on the way. */
int sys_write_list_at(int fd, uint64_t offset, struct iovec *list, size_t n, size_t *done);
/* At the descriptor's own position: pipes. sys_read gives what is there, 0 at the end. */
int sys_read(int fd, void *dst, size_t len, size_t *done);
int sys_write(int fd, const void *src, size_t len, size_t *done);
/* One call; *done may be anything from 0 to len. */
int sys_copy_range(int from, uint64_t from_offset, int to, uint64_t to_offset, size_t len,
                   size_t *done);

int sys_sync(int fd);
/* The disk begins with bytes from `from` to `to`, so that the last sync finds little to do; what
 * fails shows there. Worth asking for some megabytes at a time. */
#define SYS_BEGIN_BYTES ((uint64_t)8 << 20)
void sys_begin_write(int fd, uint64_t from, uint64_t to);
int sys_link_fd(int fd, int dir, const char *name);
/* rename(2): what has the name `to` is replaced. */
int sys_rename_at(int from_dir, const char *from, int to_dir, const char *to);
/* A file gets another name, EEXIST where that is taken. Where the file system has no such rename it
 * has both names for a moment, and a call that was interrupted then can be made again. */
int sys_rename_new_at(int from_dir, const char *from, int to_dir, const char *to);
/* Two names change places at once; EINVAL or ENOSYS where the file system cannot. */
int sys_exchange_at(int dir_a, const char *a, int dir_b, const char *b);
int sys_unlink_at(int dir, const char *name);
int sys_make_folder_at(int dir, const char *name);
int sys_remove_folder_at(int dir, const char *name);
/* Everything written to the file system of fd so far is on disk; errors of its files since fd was
 * opened are told. */
int sys_sync_all(int fd);
/* EWOULDBLOCK where another process holds the file's lock. Held until fd is closed. */
int sys_lock(int fd);
void sys_close(int fd); /* -1 is fine */

/* Names in a folder, without . and .., in the file system's order. `type` is a DT_ value of
 * dirent.h, DT_UNKNOWN included. The visitor ends the walk with a status other than NRW_OK.
 * `buffer` is lent for the walk: 8-byte aligned, 4 KiB at least. *os_errno tells why the folder
 * could not be read; then the status is NRW_E_IO and err is untouched. */
typedef nrw_status (*folder_visit)(void *ctx, const char *name, unsigned char type, nrw_error *err);
nrw_status sys_read_folder(int fd, void *buffer, size_t len, folder_visit visit, void *ctx,
                           int *os_errno, nrw_error *err);

/* Bytes free for this user on the file system of fd; 0 where unknown. */
uint64_t sys_free_space(int fd);

/* $TMPDIR, else /var/tmp. */
const char *sys_temp_folder(void);
/* A file without a name in `dir`. */
nrw_status sys_open_unnamed(const char *dir, int *fd, nrw_error *err);
/* The sentence for a failed write; a full disk is told in bytes: to write, missing. `done`
 * of them went through. `what`
 * stands in front: "spilling: ", or nothing. */
nrw_status sys_write_error(int fd, int os_errno, uint64_t to_write, uint64_t done, const char *what,
                           nrw_error *err);

#endif
