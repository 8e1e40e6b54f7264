#include "children.h"
#include "sanitizers.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES_MOST 256
/* A child that takes longer hangs. */
#define SECONDS_MOST 300

/* A page that a child shares with its parent. */
static struct shared {
    char what[1024];
    uint64_t note;
} * shared;

static children *now;
static bool is_child;
/* Descriptors that were open when this child began, and whose files are the parent's, too. */
static bool is_shared[FILES_MOST];

void children_init(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
}

/* ---- open files ---- */

/* Which descriptors are open, and how many. */
static int look_at_files(bool open[FILES_MOST])
{
    static struct pollfd all[FILES_MOST];
    int n = 0;

    for (int i = 0; i < FILES_MOST; i++)
        all[i] = (struct pollfd){.fd = i};
    poll(all, FILES_MOST, 0);
    for (int i = 0; i < FILES_MOST; i++)
        n += open[i] = !(all[i].revents & POLLNVAL);
    return n;
}

typedef struct positions {
    bool open[FILES_MOST];
    off_t at[FILES_MOST];
} positions;

static void positions_keep(positions *p)
{
    look_at_files(p->open);
    for (int i = 0; i < FILES_MOST; i++)
        if (p->open[i])
            p->at[i] = lseek(i, 0, SEEK_CUR);
}

static void positions_restore(const positions *p)
{
    for (int i = 0; i < FILES_MOST; i++)
        if (p->open[i] && p->at[i] >= 0 && lseek(i, 0, SEEK_CUR) != p->at[i])
            lseek(i, p->at[i], SEEK_SET);
}

static void fail(const char *what)
{
    char text[256];

    snprintf(text, sizeof text, "the test itself: %s: %s", what, strerror(errno));
    child_end(text);
}

static void copy_content(int from, int to, off_t size)
{
    static char data[1 << 16];
    off_t at = 0, end;

    while (at < size && (at = lseek(from, at, SEEK_DATA)) >= 0) {
        end = lseek(from, at, SEEK_HOLE);
        while (at < end) {
            size_t want = end - at < (off_t)sizeof data ? (size_t)(end - at) : sizeof data;
            ssize_t n = pread(from, data, want, at);
            if (n <= 0 || pwrite(to, data, (size_t)n, at) != n)
                fail("cannot copy an open file");
            at += n;
        }
    }
    if (ftruncate(to, size))
        fail("cannot copy an open file");
}

/* The file without a name behind a descriptor becomes this child's own. */
static void own_file(int fd)
{
    struct stat st;
    int copy;

    if (fd >= FILES_MOST || !is_shared[fd])
        return;
    is_shared[fd] = false;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_nlink > 0)
        return;
    copy = open(now->folder, O_RDWR | O_TMPFILE | O_CLOEXEC, st.st_mode & 07777);
    if (copy < 0)
        fail("cannot make a file without a name");
    copy_content(fd, copy, st.st_size);
    if (dup3(copy, fd, O_CLOEXEC) < 0)
        fail("dup3");
    close(copy);
}

/* ---- children ---- */

static void begin_child(void)
{
    is_child = true;
    look_at_files(is_shared);
    alarm(SECONDS_MOST);
}

static const char *fate(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return "the test itself: waitpid";
    if (WIFSIGNALED(status))
        snprintf(shared->what, sizeof shared->what, "%s (%s)",
                 WTERMSIG(status) == SIGALRM ? "it hangs" : "it died", strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) && !shared->what[0])
        snprintf(shared->what, sizeof shared->what, "it died (exit %d)", WEXITSTATUS(status));
    return shared->what[0] ? shared->what : NULL;
}

static pid_t begin_fork(void)
{
    pid_t pid;

    shared->what[0] = '\0';
    shared->note = 0;
    pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(2);
    }
    if (pid == 0)
        begin_child();
    return pid;
}

static void put_off(fault_kind kind, uint64_t n)
{
    if (!(now->n_later & (now->n_later + 1)))
        now->later = realloc(now->later, 2 * (now->n_later + 1) * sizeof *now->later);
    if (!now->later)
        abort();
    now->later[now->n_later++] = (call){kind, n};
}

/* In a child nothing fails any more. */
static bool ask(fault_kind kind)
{
    uint64_t n = fault_count(kind);
    static positions kept;
    const char *what;
    pid_t pid;

    if (is_child || !now->wanted(now->ctx, kind))
        return false;
    if (now->names) {
        put_off(kind, n);
        return false;
    }
    now->kind = kind;
    positions_keep(&kept);
    pid = begin_fork();
    if (pid == 0)
        return true;
    what = fate(pid);
    positions_restore(&kept);
    now->ended(now->ctx, kind, n, what);
    return false;
}

static void change(int fd)
{
    if (is_child && fd >= 0) {
        own_file(fd);
    } else if (!is_child && fd < 0) {
        now->names = true;
    }
}

void children_start(children *c)
{
    static const fault_watcher watcher = {ask, change};

    /* a child costs what memory there is to share */
    if (__sanitizer_purge_allocator)
        __sanitizer_purge_allocator();
    now = c;
    c->names = false;
    c->later = NULL;
    c->n_later = 0;
    fault_watch(&watcher);
}

bool children_stop(void)
{
    fault_watch(NULL);
    return is_child;
}

void child_end(const char *what)
{
    if (what)
        snprintf(shared->what, sizeof shared->what, "%s", what);
    _exit(what != NULL);
}

const char *child_run(void (*body)(void *ctx), void *ctx)
{
    pid_t pid = begin_fork();

    if (pid == 0) {
        body(ctx);
        child_end(NULL);
    }
    return fate(pid);
}

void child_note(uint64_t number)
{
    shared->note = number;
}

uint64_t child_noted(void)
{
    return shared->note;
}

/* ---- what is held ---- */

static uint64_t heap_bytes(void)
{
    struct mallinfo2 info;

    if (__sanitizer_get_current_allocated_bytes)
        return __sanitizer_get_current_allocated_bytes();
    info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

void holding_now(holding *h)
{
    bool open[FILES_MOST];

    h->bytes = heap_bytes();
    h->files = look_at_files(open);
}

/* The heap may hold more for good reason (what a library makes once and keeps): where the
 * sanitizers are there, they say whether anything is lost. */
const char *holding_left(const holding *before)
{
    static char text[120];
    holding after;

    holding_now(&after);
    if (after.files > before->files) {
        snprintf(text, sizeof text, "%d files are still open", after.files - before->files);
        return text;
    }
    if (after.bytes <= before->bytes)
        return NULL;
    if (__lsan_do_recoverable_leak_check && !__lsan_do_recoverable_leak_check())
        return NULL;
    snprintf(text, sizeof text, "%llu bytes of the heap are lost",
             (unsigned long long)(after.bytes - before->bytes));
    return text;
}
