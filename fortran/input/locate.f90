! SPDX-License-Identifier: MIT
!> Where the files of a run are: its name, structure, keyfile and models.
module fennix_locate
   use fennix_error, only : error_type, fatal_error
   use fennix_settings, only : settings_type
   use fennix_arguments, only : arguments_type
   use fennix_text_file, only : file_exists, folder_of, without_extension
   implicit none
   private
   public :: locate_files, locate_model

contains


!> Name of the run, structure file and keyfile (empty when there is none)
subroutine locate_files(self, arguments, has_text, error)
   type(settings_type), intent(inout) :: self
   type(arguments_type), intent(in) :: arguments
   !> The keywords come as text: no keyfile is looked for
   logical, intent(in) :: has_text
   type(error_type), allocatable, intent(out) :: error

   self%name = arguments%name
   if (.not. arguments%has_arrays) then
      if (len(self%name) == 0) then
         call fatal_error(error, "command line: the NAME of the run is missing: fennix-dynamic NAME " // &
            & "[nsteps dt_fs dump_ps ensemble T P]; --help tells more")
         return
      end if
      ! "water", "water.xyz" and "water.key" are the same run, but "box.v2" with a box.v2.xyz keeps its point
      if (.not. file_exists(self%name // ".xyz")) self%name = without_extension(self%name)
      self%structure_file = self%name // ".xyz"
      if (.not. file_exists(self%structure_file)) then
         call fatal_error(error, self%structure_file // ": there is no such file; it is the structure of the run '" // &
            & arguments%name // "'")
         return
      end if
   end if
   if (.not. has_text) call locate_keyfile(self, arguments, error)
   if (allocated(error) .or. len(arguments%rerun_file) == 0) return
   self%rerun_file = arguments%rerun_file
   if (.not. file_exists(self%rerun_file)) call fatal_error(error, self%rerun_file // &
      & ": there is no such file; it was given after --rerun")
end subroutine locate_files


!> Tinker's order: the file after -k, NAME.key, tinker.key in the folder of NAME
subroutine locate_keyfile(self, arguments, error)
   type(settings_type), intent(inout) :: self
   type(arguments_type), intent(in) :: arguments
   type(error_type), allocatable, intent(out) :: error

   if (len(arguments%key_file) > 0) then
      self%key_file = arguments%key_file
      if (file_exists(self%key_file)) return
      self%key_file = arguments%key_file // ".key"
      if (file_exists(self%key_file)) return
      call fatal_error(error, arguments%key_file // ": there is no such keyfile, with or without .key; " // &
         & "it was given after -k")
      return
   end if
   if (arguments%has_arrays) return
   self%key_file = self%name // ".key"
   if (file_exists(self%key_file)) return
   self%key_file = folder_of(self%name) // "tinker.key"
   if (.not. file_exists(self%key_file)) self%key_file = ""
end subroutine locate_keyfile


!> A model file is looked for in the keyfile's folder first; names of shipped models stay as they are
function locate_model(key_file, model) result(path)
   !> May be empty
   character(len=*), intent(in) :: key_file
   !> NAME, FILE or FILE.py:Class as the user wrote it
   character(len=*), intent(in) :: model
   character(len=:), allocatable :: path
   character(len=:), allocatable :: file
   integer :: colon

   path = model
   if (model(1:1) == "/") return
   if (index(model, "/") == 0 .and. index(model, ".") == 0) return
   file = model
   colon = index(model, ".py:")
   if (colon > 0) file = model(1:colon + 2)
   if (file_exists(folder_of(key_file) // file)) path = folder_of(key_file) // model
end function locate_model

end module fennix_locate
