import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const files = {
  'courses.csv': [
    '"code_module","code_presentation","module_presentation_length"',
    '"AAA","2013J",268',
    '"AAA","2014J",269',
  ],
  'assessments.csv': [
    '"code_module","code_presentation","id_assessment","assessment_type","date","weight"',
    '"AAA","2013J",1752,"TMA",19,10',
    '"AAA","2013J",1753,"CMA",54,20',
    '"AAA","2013J",1757,"Exam",,100',
    '"AAA","2014J",1758,"TMA",19,10',
  ],
  'studentInfo.csv': [
    '"code_module","code_presentation","id_student","gender","region","highest_education","imd_band","age_band","num_of_prev_attempts","studied_credits","disability","final_result"',
    '"AAA","2014J",11391,"M","Wales","HE Qualification","10-20","35-55",1,60,"false","Pass"',
    '"AAA","2013J",11391,"M","Scotland","A Level or Equivalent","90-100%","0-35",0,240,"false","Fail"',
    '"AAA","2013J",28400,"F","Ireland","HE Qualification",,"35-55",0,60,"true","Withdrawn"',
    '"AAA","2014J",30268,"F","East Anglian Region, North","No Formal quals","20-30%","55<=",0,60,"Y","Distinction"',
  ],
  'studentRegistration.csv': [
    '"code_module","code_presentation","id_student","date_registration","date_unregistration"',
    '"AAA","2013J",11391,-159,',
    '"AAA","2014J",11391,-30,',
    '"AAA","2013J",28400,-53,12',
    '"AAA","2014J",30268,,',
  ],
  'studentAssessment.csv': [
    '"id_assessment","id_student","date_submitted","is_banked","score"',
    '1752,11391,18,"false",78',
    '1753,11391,56,"false",',
    '1752,28400,-1,"true",60.5',
    '1758,30268,22,"false",100',
  ],
  'vle_pre_course_clicks.csv': [
    'code_module,code_presentation,id_student,pre_course_clicks,pre_course_interaction_rows',
    'AAA,2013J,11391,98,11',
  ],
}
export type SampleFile = keyof typeof files

/** Writes a tiny set of tables in the published form; `change` may alter the lines of any file, or drop it with null. */
export function writeSample(
  folder: string,
  change: Partial<Record<SampleFile, (lines: string[]) => string[] | null>> = {},
) {
  mkdirSync(folder, { recursive: true })
  for (const [file, lines] of Object.entries(files) as [SampleFile, string[]][]) {
    const changed = change[file] ? change[file]([...lines]) : lines
    if (changed) writeFileSync(join(folder, file), `${changed.join('\n')}\n`)
  }
}

/** Replaces one line, counted from 1 as editors do. */
export const replaceLine = (line: number, text: string) => (lines: string[]) => lines.with(line - 1, text)
