/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A driver for pcscd in front of vpcd's driver, for tests (test/system/sandbox). vpcd's driver has
 * two slots, so that each reader would have an empty second one; this driver has one. It can have a
 * keypad, and passes everything else on. It needs its own copy of libifdvpcd.so in the same
 * directory: the slots there are static variables, so two readers on one copy would share them. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <ifdhandler.h>
#include <reader.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VPCD     "libifdvpcd.so"
#define EXPORTED __attribute__((visibility("default")))

/* The path of a file in this file's directory. */
static void path_of(const char *name, char *path, size_t size)
{
    static const int here;
    Dl_info info;
    const char *slash = dladdr(&here, &info) == 0 ? NULL : strrchr(info.dli_fname, '/');
    int len = slash == NULL ? 0 : (int)(slash - info.dli_fname);
    snprintf(path, size, "%.*s/%s", len, slash == NULL ? "" : info.dli_fname, name);
}

/* The function of that name in the copy of vpcd's driver in this file's directory. */
static void *vpcd(const char *name)
{
    static void *library;
    char path[4096];
    if (library == NULL) {
        path_of(VPCD, path, sizeof(path));
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    return library == NULL ? NULL : dlsym(library, name);
}

/* Calls vpcd's function of the same name. */
#define FORWARD(name, types, ...)                                                                  \
    RESPONSECODE(*function) types = NULL;                                                          \
    *(void **)&function = vpcd(name);                                                              \
    return function == NULL ? IFD_COMMUNICATION_ERROR : function(__VA_ARGS__)

EXPORTED RESPONSECODE IFDHCreateChannelByName(DWORD lun, LPSTR name)
{
    FORWARD("IFDHCreateChannelByName", (DWORD, LPSTR), lun, name);
}

EXPORTED RESPONSECODE IFDHCreateChannel(DWORD lun, DWORD channel)
{
    FORWARD("IFDHCreateChannel", (DWORD, DWORD), lun, channel);
}

EXPORTED RESPONSECODE IFDHCloseChannel(DWORD lun)
{
    FORWARD("IFDHCloseChannel", (DWORD), lun);
}

EXPORTED RESPONSECODE IFDHGetCapabilities(DWORD lun, DWORD tag, PDWORD len, PUCHAR value)
{
    if (tag == TAG_IFD_SLOTS_NUMBER && len != NULL && value != NULL && *len > 0) {
        *len = 1;
        *value = 1;
        return IFD_SUCCESS;
    }
    FORWARD("IFDHGetCapabilities", (DWORD, DWORD, PDWORD, PUCHAR), lun, tag, len, value);
}

EXPORTED RESPONSECODE IFDHSetCapabilities(DWORD lun, DWORD tag, DWORD len, PUCHAR value)
{
    FORWARD("IFDHSetCapabilities", (DWORD, DWORD, DWORD, PUCHAR), lun, tag, len, value);
}

EXPORTED RESPONSECODE IFDHSetProtocolParameters(DWORD lun, DWORD protocol, UCHAR flags, UCHAR pts1,
                                                UCHAR pts2, UCHAR pts3)
{
    FORWARD("IFDHSetProtocolParameters", (DWORD, DWORD, UCHAR, UCHAR, UCHAR, UCHAR), lun, protocol,
            flags, pts1, pts2, pts3);
}

EXPORTED RESPONSECODE IFDHPowerICC(DWORD lun, DWORD action, PUCHAR atr, PDWORD len)
{
    FORWARD("IFDHPowerICC", (DWORD, DWORD, PUCHAR, PDWORD), lun, action, atr, len);
}

EXPORTED RESPONSECODE IFDHTransmitToICC(DWORD lun, SCARD_IO_HEADER to, PUCHAR command,
                                        DWORD command_len, PUCHAR answer, PDWORD answer_len,
                                        PSCARD_IO_HEADER from)
{
    FORWARD("IFDHTransmitToICC",
            (DWORD, SCARD_IO_HEADER, PUCHAR, DWORD, PUCHAR, PDWORD, PSCARD_IO_HEADER), lun, to,
            command, command_len, answer, answer_len, from);
}

/* ---- The keypad -------------------------------------------------------------------------- */

/* The reader has a keypad while there is a file `keypad` in this file's directory. It contains the
 * digits that are typed; or "=SW": the firmware answers this status word and sends nothing to the
 * card; or "broken": the driver fails. */
enum { VERIFY_PIN_CODE = CM_IOCTL_GET_FEATURE_REQUEST + 1, COMMAND_MAX = 261 };

/* False: there is no keypad. */
static int read_keypad(char typed[32])
{
    char path[4096];
    path_of("keypad", path, sizeof(path));
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    size_t len = fread(typed, 1, 31, file);
    fclose(file);
    typed[len] = '\0';
    typed[strcspn(typed, "\n")] = '\0';
    return 1;
}

static RESPONSECODE tell_features(PUCHAR out, DWORD out_size, LPDWORD out_len)
{
    PCSC_TLV_STRUCTURE feature = {FEATURE_VERIFY_PIN_DIRECT, 4, htonl(VERIFY_PIN_CODE)};
    if (out_size < sizeof(feature))
        return IFD_ERROR_INSUFFICIENT_BUFFER;
    memcpy(out, &feature, sizeof(feature));
    *out_len = sizeof(feature);
    return IFD_SUCCESS;
}

/* The command of the request, with the digits in the place of its data, goes to the card. */
static RESPONSECODE type_pin(DWORD lun, const char *typed, const UCHAR *in, DWORD in_len,
                             PUCHAR out, LPDWORD out_len)
{
    size_t head = offsetof(PIN_VERIFY_STRUCTURE, abData);
    SCARD_IO_HEADER to = {1, sizeof(to)}, from = {1, sizeof(from)};
    UCHAR command[COMMAND_MAX];
    RESPONSECODE(*transmit)
    (DWORD, SCARD_IO_HEADER, PUCHAR, DWORD, PUCHAR, PDWORD, PSCARD_IO_HEADER) = NULL;
    *(void **)&transmit = vpcd("IFDHTransmitToICC");
    if (transmit == NULL || in_len < head + 5 || in_len - head > sizeof(command) ||
        in_len - head != 5 + strlen(typed))
        return IFD_COMMUNICATION_ERROR;
    memcpy(command, in + head, 5);
    memcpy(command + 5, typed, strlen(typed));
    return transmit(lun, to, command, in_len - head, out, out_len, &from);
}

static RESPONSECODE use_keypad(DWORD lun, const char *typed, const UCHAR *in, DWORD in_len,
                               PUCHAR out, DWORD out_size, LPDWORD out_len)
{
    *out_len = out_size;
    if (typed[0] != '=')
        return type_pin(lun, typed, in, in_len, out, out_len);
    unsigned long sw = strtoul(typed + 1, NULL, 16);
    out[0] = (UCHAR)(sw >> 8);
    out[1] = (UCHAR)sw;
    *out_len = 2;
    return IFD_SUCCESS;
}

EXPORTED RESPONSECODE IFDHControl(DWORD lun, DWORD code, PUCHAR in, DWORD in_len, PUCHAR out,
                                  DWORD out_size, LPDWORD out_len)
{
    char typed[32];
    if (code == CM_IOCTL_GET_FEATURE_REQUEST && read_keypad(typed))
        return tell_features(out, out_size, out_len);
    if (code == VERIFY_PIN_CODE && read_keypad(typed) && out_size >= 2)
        return use_keypad(lun, typed, in, in_len, out, out_size, out_len);
    FORWARD("IFDHControl", (DWORD, DWORD, PUCHAR, DWORD, PUCHAR, DWORD, LPDWORD), lun, code, in,
            in_len, out, out_size, out_len);
}

EXPORTED RESPONSECODE IFDHICCPresence(DWORD lun)
{
    FORWARD("IFDHICCPresence", (DWORD), lun);
}
