/* A folder that all tests of a program share: cmocka_run_group_tests(tests, set_up, tear_down). */
#ifndef TEST_FOLDER_H
#define TEST_FOLDER_H

#include "temp_folder.h"

static temp_folder folder;

static int set_up(void **state)
{
    (void)state;
    temp_folder_make(&folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    temp_folder_remove(&folder);
    return 0;
}

#endif
