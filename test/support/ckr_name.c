/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ckr_name.h"

#include <stdio.h>

const char *ckr_name(CK_RV rv)
{
    static const struct {
        CK_RV rv;
        const char *name;
    } names[] = {
        {CKR_OK, "OK"},
        {CKR_ARGUMENTS_BAD, "ARGUMENTS_BAD"},
        {CKR_BUFFER_TOO_SMALL, "BUFFER_TOO_SMALL"},
        {CKR_DEVICE_ERROR, "DEVICE_ERROR"},
        {CKR_DEVICE_REMOVED, "DEVICE_REMOVED"},
        {CKR_FUNCTION_CANCELED, "FUNCTION_CANCELED"},
        {CKR_KEY_HANDLE_INVALID, "KEY_HANDLE_INVALID"},
        {CKR_MECHANISM_INVALID, "MECHANISM_INVALID"},
        {CKR_OPERATION_NOT_INITIALIZED, "OPERATION_NOT_INITIALIZED"},
        {CKR_PIN_INCORRECT, "PIN_INCORRECT"},
        {CKR_PIN_INVALID, "PIN_INVALID"},
        {CKR_PIN_LEN_RANGE, "PIN_LEN_RANGE"},
        {CKR_PIN_LOCKED, "PIN_LOCKED"},
        {CKR_SESSION_HANDLE_INVALID, "SESSION_HANDLE_INVALID"},
        {CKR_SESSION_READ_ONLY, "SESSION_READ_ONLY"},
        {CKR_TOKEN_NOT_PRESENT, "TOKEN_NOT_PRESENT"},
        {CKR_TOKEN_NOT_RECOGNIZED, "TOKEN_NOT_RECOGNIZED"},
        {CKR_USER_ALREADY_LOGGED_IN, "USER_ALREADY_LOGGED_IN"},
        {CKR_USER_NOT_LOGGED_IN, "USER_NOT_LOGGED_IN"},
    };
    static char number[24];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].rv == rv)
            return names[i].name;
    (void)snprintf(number, sizeof number, "0x%lX", rv);
    return number;
}
