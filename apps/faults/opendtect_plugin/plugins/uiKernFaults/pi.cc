// SPDX-License-Identifier: GPL-3.0-or-later
// Where OpendTect enters: what the plugin is, a line in the Tools menu, a button in the toolbar.
#include <odplugin.h>
#include <ptrman.h>
#include <uikernfaultsmod.h>
#include <uimenu.h>
#include <uiodmain.h>
#include <uiodmenumgr.h>
#include <uitoolbar.h>

#include "apps/faults/opendtect_plugin/plugins/uiKernFaults/dialog.h"

mDefODPluginInfo(uiKernFaults) {
  static PluginInfo info("Faults by Kern", "Kern", "The authors of Kern", "0.1",
                         "Fault probability of a seismic cube by a trained network.\nStarts the program kern.",
                         PluginInfo::LicenseType::GPL);
  return &info;
}

class uiKernFaultsMgr : public uiPluginInitMgr {
  mODTextTranslationClass(uiKernFaultsMgr);

 public:
  uiKernFaultsMgr() { init(); }

 private:
  // Both are called again when OpendTect has made its menus anew.
  void dTectMenuChanged() override {
    appl().menuMgr().toolsMnu()->insertAction(
        new uiAction(tr("Faults by Kern ..."), mCB(this, uiKernFaultsMgr, show), kIcon));
  }
  void dTectToolbarChanged() override {
    appl().menuMgr().dtectTB()->addButton(kIcon, tr("Faults by Kern"), mCB(this, uiKernFaultsMgr, show));
  }
  void show(CallBacker*) { kern::opendtect_plugin::show_faults_dialog(appl()); }

  static constexpr const char* kIcon = "man_flt";  // OpendTect's own, of faults
};

mDefODInitPlugin(uiKernFaults) {
  if (ODMainWin() == nullptr) return "The plugin of Kern works in OpendTect's main window only";
  static PtrMan<uiKernFaultsMgr> manager = new uiKernFaultsMgr();
  return !manager ? "The plugin of Kern cannot be started" : nullptr;
}
