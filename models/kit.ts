// The one line that binds the kit to this application's own Prisma client.
import { bindKit } from '../index.ts'
import { datamodel } from '../prisma/learning/generated/datamodel.ts'
import type { Prisma } from '../prisma/learning/generated/prisma/client.ts'

export const defineModel = bindKit<Prisma.TypeMap>(datamodel)
