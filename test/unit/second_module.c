/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "second_module.h"

#include <string.h>

/* Another module on the same readers; open at most once at a time. */
static struct jpki_module *opened;

struct jpki_module *second_open(void)
{
    static struct jpki_options options;
    struct jpki_module *module = NULL;
    jpki_options_default(&options, JPKI_SLOTS_AUTH | JPKI_SLOTS_SIGN);
    assert_int_equal(jpki_module_open(&fake_readers, &options, &module), CKR_OK);
    opened = module;
    return module;
}

void second_close(void)
{
    if (opened != NULL)
        jpki_module_close(opened);
    opened = NULL;
}

int second_app_close(void **state)
{
    second_close();
    return app_close(state);
}

/* As pkcs11-tool -L does. */
void second_lists(struct jpki_module *module)
{
    CK_ULONG count = 0;
    assert_int_equal(jpki_slot_list(module, true, NULL, &count), CKR_OK);
    assert_int_equal(count, 2);
    for (CK_SLOT_ID slot = AUTH; slot <= SIGN; slot++) {
        CK_SLOT_INFO slot_info;
        CK_TOKEN_INFO token;
        assert_int_equal(jpki_slot_info(module, slot, &slot_info), CKR_OK);
        assert_int_equal(jpki_token_info(module, slot, &token), CKR_OK);
    }
}

struct jpki_session *second_session(struct jpki_module *module, CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE handle;
    struct jpki_session *session;
    assert_int_equal(jpki_session_open(module, slot, CKF_SERIAL_SESSION, &handle), CKR_OK);
    assert_int_equal(jpki_session_hold(module, handle, &session), CKR_OK);
    return session;
}

void second_logs_in(struct jpki_module *module, CK_SLOT_ID slot)
{
    CK_UTF8CHAR pin[16];
    const char *text = slot == AUTH ? AUTH_PIN : SIGN_PIN;
    struct jpki_session *session = second_session(module, slot);
    memcpy(pin, text, strlen(text));
    assert_int_equal(jpki_login(session, CKU_USER, pin, strlen(text)), CKR_OK);
    jpki_session_release(session);
}

/* As pkcs11-tool -O does. */
void second_finds(struct jpki_module *module, CK_SLOT_ID slot)
{
    CK_OBJECT_HANDLE found[16];
    CK_ULONG count = 0;
    struct jpki_session *session = second_session(module, slot);
    assert_int_equal(jpki_find_begin(session, NULL, 0), CKR_OK);
    assert_int_equal(jpki_find_next(session, found, 16, &count), CKR_OK);
    assert_int_equal(jpki_find_end(session), CKR_OK);
    jpki_session_release(session);
}
