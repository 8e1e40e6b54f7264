/* Numbers of 8 bytes whose upper bytes are alike in a whole block, as most are that were chosen for
 * their type and not for their range: keys, prices, times of a day. All that an LZ codec can say of
 * them is that the upper bytes are those of the number before. So it need not be searched for: the
 * lower bytes are the literals, packed together and left to the library for their entropy, and
 * between them stands one and the same sequence, (low literals, 8 - low bytes from 8 bytes before),
 * whose tables have one symbol each and take no bits. Five times as fast as the quickest search,
 * and smaller, since no accidental match disturbs the sequences.
 *
 * The frame (RFC 8878, 3.1.1): a raw block with what stands in front and the first number; a block
 * with the second one, whose offset is the third of the initial repeated ones, 8, and becomes the
 * first; then blocks of at most 128 KiB with that first repeated offset throughout. */
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_compressSequences */
#include "codec/zstd_numbers.h"

#include "base/span.h"
#include <zstd.h>

#include <string.h>

enum {
    WIDTH = 8,
    LEAST_MATCH = 3, /* of the format */
    FRAME_HEAD = 4 + 1 + 4,
    BLOCK_HEAD = 3,
    BLOCK_VALUES = (128 << 10) / WIDTH,
    SLACK = 64, /* heads and sequences of a block, by far */
    LEVEL = 1   /* without matches all levels do the same */
};

typedef enum block_type { BLOCK_RAW, BLOCK_RLE, BLOCK_COMPRESSED } block_type;
typedef enum literals_type { LITERALS_RAW, LITERALS_RLE, LITERALS_CODED } literals_type;

/* ---- whether it suits ---- */

static uint64_t number_at(span values, size_t i)
{
    return load_u64(values.data + i * WIDTH);
}

/* Whether more than an eighth of the values come again, wherever in the block; then matches of
 * whole numbers may pay. Asked of one in sixteen, chosen by value. */
static bool values_repeat(span values)
{
    enum { SEEN = 4096 };
    uint16_t seen[SEEN] = {0};
    uint32_t asked = 0, again = 0;

    for (size_t i = 0; i < values.len / WIDTH; i++) {
        uint64_t h = number_at(values, i) * UINT64_C(0x9e3779b97f4a7c15);
        if (h >> 60)
            continue;
        uint16_t tag = (uint16_t)(h >> 32 | 1), *at = &seen[h >> 48 & (SEEN - 1)];
        asked++;
        again += *at == tag;
        *at = tag;
    }
    return again * 8 > asked;
}

static span numbers_of(span src, size_t skip)
{
    return skip > src.len ? (span){0} : (span){src.data + skip, src.len - skip};
}

uint32_t zstd_numbers_low(span src, size_t skip)
{
    span values = numbers_of(src, skip);
    uint64_t differ = 0, first;
    uint32_t low = 0;

    if (values.len < 4 * WIDTH || values.len % WIDTH)
        return 0;
    first = number_at(values, 0);
    for (size_t i = 1; i < values.len / WIDTH; i++)
        differ |= number_at(values, i) ^ first;
    while (differ >> 8 * low && ++low < WIDTH)
        continue;
    return low > WIDTH - LEAST_MATCH || values_repeat(values) ? 0 : low;
}

/* ---- writing ---- */

typedef struct frame {
    zstd_library *library;
    uint32_t low;
    uint8_t *at, *end;
    bool failed;
} frame;

static void put(frame *f, uint64_t v, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        *f->at++ = (uint8_t)(v >> 8 * i);
}

static void block_head(uint8_t *at, bool last, block_type type, size_t size)
{
    uint32_t v = (uint32_t)(last | type << 1 | size << 3);

    for (uint32_t i = 0; i < BLOCK_HEAD; i++)
        at[i] = (uint8_t)(v >> 8 * i);
}

/* n sequences of `low` literals and a match, all with this code of an offset, whose further bits
 * come with the end mark of the bit stream. */
static void put_sequences(frame *f, size_t n, uint32_t offset_code, uint8_t bits)
{
    const uint32_t long_count = 0x7f00, all_one_symbol = 0x54;

    if (n < 128)
        put(f, n, 1);
    else if (n < long_count)
        put(f, (n >> 8 | 128) | (n & 255) << 8, 2);
    else
        put(f, 255 | (n - long_count) << 8, 3);
    put(f, all_one_symbol, 1);
    put(f, f->low, 1);
    put(f, offset_code, 1);
    put(f, WIDTH - f->low - LEAST_MATCH, 1);
    put(f, bits, 1);
}

/* The section of literals in a block that the library made of them without any match: its size, 0
 * where it is none that we know. */
static size_t literals_section(span block)
{
    static const uint8_t heads[2][4] = {{1, 2, 1, 3}, {3, 3, 4, 5}};
    uint32_t type = block.data[0] & 3, format = block.data[0] >> 2 & 3;
    uint32_t bits = format < 2 ? 10 : format == 2 ? 14 : 18;
    uint64_t head = 0;
    size_t size = heads[type >> 1][format];

    if (type == LITERALS_RAW || type > LITERALS_CODED || block.len < size)
        return 0;
    for (size_t i = 0; i < size; i++)
        head |= (uint64_t)block.data[i] << 8 * i;
    size += type == LITERALS_RLE ? 1 : (size_t)(head >> (4 + bits) & ((1u << bits) - 1));
    /* behind it: no sequences */
    return size + 1 == block.len && block.data[size] == 0 ? size : 0;
}

/* The block that the library made of n literals, at f->at. */
static bool library_block(frame *f, const uint8_t *literals, size_t n, block_type *type,
                          span *content)
{
    size_t made, head;

    ZSTD_CCtx_reset(f->library, ZSTD_reset_session_and_parameters);
    ZSTD_CCtx_setParameter(f->library, ZSTD_c_compressionLevel, LEVEL);
    made =
        ZSTD_compressSequences(f->library, f->at, (size_t)(f->end - f->at), NULL, 0, literals, n);
    if (ZSTD_isError(made))
        return false;
    head = ZSTD_frameHeaderSize(f->at, made);
    if (ZSTD_isError(head) || head + BLOCK_HEAD >= made || !(f->at[head] & 1))
        return false; /* more than one block */
    *type = f->at[head] >> 1 & 3;
    *content = (span){f->at + head + BLOCK_HEAD, made - head - BLOCK_HEAD};
    return *type == BLOCK_RAW || *type == BLOCK_COMPRESSED;
}

static void put_raw_literals(frame *f, const uint8_t *literals, size_t n)
{
    put(f, LITERALS_RAW | 3 << 2 | n << 4, 3);
    memmove(f->at, literals, n);
    f->at += n;
}

/* Literals that lie at the end of dst. */
static void put_literals(frame *f, const uint8_t *literals, size_t n)
{
    block_type type;
    span content;
    size_t size;

    if (!library_block(f, literals, n, &type, &content)) {
        f->failed = true;
    } else if (type == BLOCK_RAW) {
        put_raw_literals(f, literals, n);
    } else {
        size = literals_section(content);
        f->failed = !size;
        memmove(f->at, content.data, size); /* the library's heads were in front of it */
        f->at += size;
    }
}

/* Whole numbers, each over the upper bytes of the one before, as long as they fit. */
static void pack(span values, size_t first, size_t n, uint32_t low, uint8_t *dst)
{
    const uint8_t *end = dst + n * low;
    size_t i = first;

    for (; end - dst >= WIDTH; i++, dst += low)
        store_u64(dst, number_at(values, i));
    for (; dst < end; i++, dst += low)
        memcpy(dst, values.data + i * WIDTH, low);
}

static void put_block(frame *f, span values, size_t first, size_t n)
{
    uint8_t *head = f->at, *literals = f->end - n * f->low;
    bool last = first + n == values.len / WIDTH;

    f->at += BLOCK_HEAD;
    pack(values, first, n, f->low, literals);
    f->end = literals;
    put_literals(f, literals, n * f->low);
    f->end += n * f->low;
    if (f->failed)
        return;
    put_sequences(f, n, 0, 1);
    block_head(head, last, BLOCK_COMPRESSED, (size_t)(f->at - head) - BLOCK_HEAD);
}

/* What stands before the numbers and the first two of these. */
static void put_beginning(frame *f, span src, size_t skip)
{
    const uint8_t *second = src.data + skip + WIDTH;

    put(f, ZSTD_MAGICNUMBER, 4);
    put(f, 2 << 6 | 1 << 5, 1); /* one segment, its size in four bytes */
    put(f, src.len, 4);
    block_head(f->at, false, BLOCK_RAW, skip + WIDTH);
    f->at += BLOCK_HEAD;
    memcpy(f->at, src.data, skip + WIDTH);
    f->at += skip + WIDTH;
    uint8_t *head = f->at;
    f->at += BLOCK_HEAD;
    put_raw_literals(f, second, f->low);
    put_sequences(f, 1, 1, 3); /* offset 2 + 1: the third one */
    block_head(head, false, BLOCK_COMPRESSED, (size_t)(f->at - head) - BLOCK_HEAD);
}

/* As many values as find room twice: packed at the end of dst, and as literals. */
static size_t block_values(const frame *f, size_t left)
{
    size_t fit = (size_t)(f->end - f->at - SLACK) / (2 * f->low);

    fit = fit < BLOCK_VALUES ? fit : BLOCK_VALUES;
    return left < fit ? left : fit;
}

size_t zstd_numbers_encode(zstd_library *x, span src, size_t skip, uint32_t low, uint8_t *dst,
                           size_t cap)
{
    frame f = {.library = x, .low = low, .at = dst, .end = dst + cap};
    span values = numbers_of(src, skip);
    size_t n = values.len / WIDTH;

    if (src.len > UINT32_MAX || skip + WIDTH > BLOCK_VALUES * WIDTH ||
        cap < src.len + FRAME_HEAD + 2 * BLOCK_HEAD + SLACK)
        return 0;
    put_beginning(&f, src, skip);
    for (size_t first = 2, now; first < n && !f.failed; first += now) {
        now = block_values(&f, n - first);
        put_block(&f, values, first, now);
    }
    return f.failed ? 0 : (size_t)(f.at - dst);
}
