// SPDX-License-Identifier: GPL-3.0-or-later
#include "apps/faults/opendtect_plugin/plugins/uiKernFaults/dialog.h"

#include <attribdescid.h>
#include <ioobj.h>
#include <survinfo.h>
#include <trckeyzsampling.h>
#include <uiattribpartserv.h>
#include <uidialog.h>
#include <uifilesel.h>
#include <uimsg.h>
#include <uiodapplmgr.h>
#include <uiodmain.h>
#include <uiodplanedatatreeitem.h>
#include <uiodscenemgr.h>
#include <uiseissel.h>

#include <filesystem>

#include "apps/faults/opendtect_plugin/plugins/uiKernFaults/job.h"

namespace kern::opendtect_plugin {
namespace {

// As they were last given in this session.
std::string last_model, last_program = "kern";

// False: there is no scene to show it in.
bool show_inline(uiODMain& application, const IOObj& cube, int inline_number) {
  uiODSceneMgr& scenes = application.sceneMgr();
  if (scenes.nrScenes() < 1) return false;
  const Attrib::DescID id = application.applMgr().attrServer()->getStoredID(cube.key(), false);
  if (!id.isValid()) return false;
  auto* item = new uiODInlineTreeItem(VisID::udf(), uiODPlaneDataTreeItem::Empty);  // the tree's from the next line on
  scenes.addDisplayTreeItem(item, scenes.getActiveSceneID());
  TrcKeyZSampling where = SI().sampling(true);
  where.hsamp_.setInlRange(Interval<int>(inline_number, inline_number));
  item->setTrcKeyZSampling(where);
  const bool shown = item->displayDataFromDesc(id, true);
  if (shown) application.applMgr().useDefColTab(item->displayID(), 0);  // the colours stored with the cube
  return shown;
}

class FaultsDialog : public uiDialog {
  mODTextTranslationClass(FaultsDialog);

 public:
  explicit FaultsDialog(uiODMain& application)
      : uiDialog(&application, Setup(tr("Faults by Kern"), tr("Fault probability of a cube"), mNoHelpKey)),
        application_(application) {
    cube_ = new uiSeisSel(this, uiSeisSel::ioContext(Seis::Vol, true), uiSeisSel::Setup(Seis::Vol));
    model_ = new uiFileSel(this, tr("Model"), uiFileSel::Setup(last_model.c_str()));
    model_->attach(alignedBelow, cube_);
    program_ = new uiFileSel(this, tr("Program"), uiFileSel::Setup(last_program.c_str()));
    program_->attach(alignedBelow, model_);
    result_ = new uiSeisSel(this, uiSeisSel::ioContext(Seis::Vol, false), uiSeisSel::Setup(Seis::Vol));
    result_->attach(alignedBelow, program_);
  }

 protected:
  bool acceptOK(CallBacker*) override {
    const IOObj* cube = cube_->ioobj();  // says itself what is missing
    if (cube == nullptr) return false;
    last_model = model_->text();
    last_program = program_->text();
    std::error_code ignored;
    if (last_model.empty() || !std::filesystem::exists(last_model, ignored))
      return refuse(tr("There is no such model: choose the model.safetensors that kern faults train has made."));
    if (last_program.empty()) last_program = "kern";
    if (last_program.find('/') != std::string::npos && !std::filesystem::is_regular_file(last_program, ignored))
      return refuse(tr("There is no such program: give the path of kern, or kern alone where it lies on the PATH."));
    const IOObj* result = result_->ioobj();
    if (result == nullptr) return false;
    if (result->key() == cube->key()) return refuse(tr("The result needs another name than the cube itself."));
    int inline_number = 0;
    if (!predict_with_progress(this, {*cube, *result, last_program, last_model}, inline_number)) return false;
    const bool shown = show_inline(application_, *result, inline_number);
    uiMSG().message(
        shown ? tr("Fault probability is stored as %1; one of its inlines is shown in the scene.").arg(result->uiName())
              : tr("Fault probability is stored as %1. Add it to an inline in the tree to see it.")
                    .arg(result->uiName()));
    return true;
  }

 private:
  bool refuse(const uiString& why) {
    uiMSG().error(why);
    return false;
  }

  uiODMain& application_;
  uiSeisSel *cube_, *result_;  // fields are their parent's
  uiFileSel *model_, *program_;
};

}  // namespace

void show_faults_dialog(uiODMain& application) {
  FaultsDialog dialog(application);
  dialog.go();
}

}  // namespace kern::opendtect_plugin
