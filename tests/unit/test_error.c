#include "testing.h"

#include <errno.h>

static void messages_and_places(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    char text[400];

    (void)state;
    assert_int_equal(err_set(&err, NRW_E_CORRUPT, "the page is %d bytes short", 3), NRW_E_CORRUPT);
    err_at_column(&err, "amount");
    err_at_column(&err, "outer"); /* the innermost place stays */
    err_at_row_group(&err, 3);
    err_at_page(&err, 2);
    err_at_offset(&err, 81203114);
    err_at_object(&err, "a.parquet");
    err_next(&err, "narrows verify a.parquet");
    err_wrap(&err, NRW_E_CORRUPT, "reading");
    nrw_error_print(&err, text, sizeof text);
    assert_string_equal(text, "a.parquet, row group 3, column amount, page 2, byte 81,203,114: "
                              "reading: the page is 3 bytes short; narrows verify a.parquet");
    assert_int_equal(nrw_error_print(&err, NULL, 0), strlen(text));
}

static void system_errors(void **state)
{
    nrw_error err = NRW_ERROR_INIT;

    (void)state;
    assert_int_equal(err_errno(&err, NRW_E_IO, ENOENT, "cannot open"), NRW_E_IO);
    assert_string_equal(err.message, "cannot open: No such file or directory");
    assert_int_equal(err.os_errno, ENOENT);
}

static void null_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, NRW_E_ARG, "x"), NRW_E_ARG);
    assert_int_equal(err_errno(NULL, NRW_E_IO, EIO, "x"), NRW_E_IO);
    assert_int_equal(err_wrap(NULL, NRW_E_IO, "x"), NRW_E_IO);
    err_next(NULL, "x");
    err_at_object(NULL, "x");
    err_at_row(NULL, 1);
}

static void long_texts_are_cut(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    char text[64], big[2000];

    (void)state;
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    err_set(&err, NRW_E_ARG, "%s", big);
    err_wrap(&err, NRW_E_ARG, "%s", big);
    err_at_object(&err, big);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_int_equal(strlen(err.object), sizeof err.object - 1);
    assert_true(nrw_error_print(&err, text, sizeof text) > sizeof text);
    assert_int_equal(strlen(text), sizeof text - 1);
}

static void foreign_names_do_no_harm(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    char text[300];

    (void)state;
    err_set(&err, NRW_E_CORRUPT, "column a\xffz\n\x1b[2J has é, \xe2\x82");
    assert_string_equal(err.message, "column a?z??[2J has é, ??");
    err_at_column(&err, "\x7f\xc3");
    assert_string_equal(err.column, "??");
    err_at_object(&err, "folder/\x1bname");
    nrw_error_print(&err, text, sizeof text);
    assert_string_equal(text, "folder/?name, column ??: column a?z??[2J has é, ??");
}

static void statuses(void **state)
{
    (void)state;
    assert_string_equal(nrw_status_text(NRW_E_PIPE), "the reader of the output went away");
    assert_string_equal(nrw_status_text((nrw_status)-99), "unknown status");
    assert_int_equal(nrw_status_errno(NRW_E_MEMLIMIT), ENOMEM);
    assert_int_equal(nrw_status_errno((nrw_status)-99), EINVAL);
    assert_string_equal(nrw_version(), "0.1.0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_and_places),      cmocka_unit_test(system_errors),
        cmocka_unit_test(null_is_allowed),          cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(foreign_names_do_no_harm), cmocka_unit_test(statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
