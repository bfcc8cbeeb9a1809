// For Firefox and Thunderbird: the card is locked when they quit. Debian: copy to /etc/firefox-esr/, /etc/thunderbird/pref/.
//
// As they come, they end without telling the module: the card stays unlocked as long as another program is connected to it.
// Elsewhere (Mozilla's own packages): into defaults/pref/ of the directory where the program is installed.
// Policies cannot set this preference.
pref("toolkit.shutdown.fastShutdownStage", 0);
